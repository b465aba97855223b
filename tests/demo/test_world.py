"""The planted truth: a pure function, counted right, with nothing in it that would blur the counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from witbuild.demo import web
from witbuild.demo.grammar import held_out, plural
from witbuild.demo.likeness import ALIKE, STORED_SIDE, similarity
from witbuild.demo.paint import jpeg
from witbuild.demo.vocabulary import TAIL_BACKGROUNDS
from witbuild.demo.world import World, build
from witbuild.image.prepare import Plan, prepare
from witbuild.recipe import Recipe
from witbuild.stages.dedup import Dedup
from witbuild.stages.fetch.stage import Fetch


@pytest.fixture(scope="module")
def world() -> World:
    return build(3, 400)


def captions(world: World) -> list[str]:
    return [one.caption for page in world.pages.values() for one in page.shown]


def test_a_world_is_a_function_of_seed_and_size(world: World) -> None:
    assert build(3, 400) == world
    assert build(4, 400).answers != world.answers


def test_counts_do_not_depend_on_looks(world: World) -> None:
    counted = build(3, 400, looks=False)
    assert (counted.planted, counted.pairs, counted.limit) == (world.planted, world.pairs, world.limit)
    assert counted.pages == world.pages


def test_no_page_has_a_held_out_combination(world: World) -> None:
    closed = {f"{colour} {name}" for colour, shape in held_out(3) for name in (shape, plural(shape))}
    said = {" ".join(pair) for text in captions(world) for pair in zip(text.split(), text.split()[1:], strict=False)}
    assert said
    assert not said & closed


def test_what_answers_badly_is_counted(world: World) -> None:
    answers = Counter(answer.fault or answer.status for answer in world.answers.values())
    planted = world.planted
    assert answers[404] == planted["fetch.http_404"]
    assert answers[410] == planted["fetch.http_410"]
    assert answers["truncated"] == planted["fetch.image_truncated"]
    assert answers["html"] + answers["empty"] == planted["fetch.not_an_image"]
    assert answers["bomb"] == planted["fetch.image_too_large"]
    assert answers["slow"] == planted["fetch.timeout"]
    assert sum(bool(answer.opt_out) for answer in world.answers.values()) == planted["fetch.opt_out_header"]
    hosts = Counter(url.split("/")[2] for url in world.answers)
    assert hosts[web.REFUSED] == planted["fetch.refused"]
    assert hosts[web.UNKNOWN] == planted["fetch.dns"]


def test_every_kind_of_fault_is_there(world: World) -> None:
    assert all(count > 0 for name, count in world.planted.items() if name != "fetch.timeout")
    assert build(0, 5_000, looks=False).planted["fetch.timeout"] == 4


def test_no_query_of_the_tail_is_over_the_limit(world: World) -> None:
    words = Counter(word for text in captions(world) for word in set(text.split()) & TAIL_BACKGROUNDS.keys())
    assert 0 < max(words.values()) <= world.limit


def test_only_copies_look_alike(world: World) -> None:
    """Otherwise the number of duplicates found would not be the number planted."""
    recipe = Recipe.load("demo")
    (dedup,) = (stage for stage in recipe.stages if isinstance(stage, Dedup) and stage.scope == "caption+image")
    shown = {one.url: one.caption for page in world.pages.values() for one in page.shown}
    good = {
        url: answer.picture
        for url, answer in world.answers.items()
        if answer.picture and url in shown and answer.status == 200 and not answer.fault and answer.picture.side > 64
    }
    hashes = np.array([prepare(jpeg(one), Plan(size=STORED_SIDE)).phash for one in good.values()], np.uint64)
    urls, lights = list(good), np.array([one.light for one in good.values()])
    alike = np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= dedup.hamming
    copies = lights[:, None] == lights[None, :]
    assert not np.any(copies & ~alike)
    for one, other in np.argwhere(alike & ~copies):
        assert similarity(shown[urls[one]], shown[urls[other]]) < ALIKE <= dedup.threshold


def test_the_recipe_stores_images_as_the_world_assumes() -> None:
    (fetch,) = (stage for stage in Recipe.load("demo").stages if isinstance(stage, Fetch))
    assert (fetch.size, fetch.resize, fetch.quality) == (STORED_SIDE, Plan().mode, Plan().quality)
