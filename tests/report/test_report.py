"""The report: says what the run says, loads nothing, believes nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.made_run import EVIL, EVIL_QUERY, Balanced, Harvested, make
from tests.report.test_markup import seen
from witbuild.errors import CorruptPartError
from witbuild.io import tables
from witbuild.io.manifest import Done, Identity, Manifest
from witbuild.io.run import Run
from witbuild.report import build, planted
from witbuild.report.balance import count_queries, read_balance
from witbuild.report.funnel import funnel, reasons

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(str(tmp_path_factory.mktemp("report") / "<i>my run"))


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return build(run)


def manifest(name: str, output: str, rows: int, dropped: dict[str, int], upstream: tuple[str, ...] = ()) -> Manifest:
    identity = Identity(name=name, version=1, parameters={}, upstream=dict.fromkeys(upstream, "x"))
    return Manifest(identity=identity, output=output, rows_in=None, parts=(Done(0, rows, dropped, 2.0, ()),))


def test_the_funnel_adds_up_over_steps_and_rounds() -> None:
    lines = funnel(
        [
            manifest("queries.count", "word_counts", 999, {"too_rare_to_count": 70}),
            manifest("queries", "queries", 50, {"rare": 3}),
            manifest("harvest", "pairs", 100, {"no_alt": 7}),
            manifest("dedup.bands", "bands", 900, {"ignored": 1}, ("pairs",)),
            manifest("dedup.stars", "edges", 80, {}, ("bands",)),
            manifest("dedup.stars", "edges", 70, {}, ("edges",)),
            manifest("dedup.keep", "pairs", 60, {"near": 30, "same": 10}, ("pairs", "edges")),
            manifest("shard.scatter", "samples", 55, {"not_fetched": 5}, ("pairs",)),
            manifest("shard.sort", "samples", 54, {"same_key": 1}, ("samples",)),
            manifest("shard.pack", "shards", 2, {}, ("samples", "images")),
        ]
    )
    assert [(line.stage, line.rows_in, line.rows_out, line.unit, dict(line.dropped)) for line in lines] == [
        ("queries", None, 50, "queries", {"rare": 3}),
        ("harvest", None, 100, "pairs", {"no_alt": 7}),
        ("dedup", 100, 60, "pairs", {"near": 30, "same": 10}),
        ("shard", 60, 54, "samples", {"not_fetched": 5, "same_key": 1}),
    ]
    assert [line.unaccounted for line in lines] == [0, 0, 0, 0]
    assert [line.seconds for line in lines] == [4.0, 2.0, 8.0, 6.0]
    assert next(reasons(lines)) == ("dedup", "near", 30, 0.3)


def test_pairs_from_elsewhere_are_counted_where_they_come_in() -> None:
    (line,) = funnel([manifest("shard.scatter", "samples", 7, {"not_fetched": 3}, ("pairs",))])
    assert (line.rows_in, line.rows_out, line.unaccounted) == (10, 7, 0)


def test_lost_rows_are_shown() -> None:
    lines = funnel([manifest("harvest", "pairs", 9, {}), manifest("match", "pairs", 5, {"none": 1}, ("pairs",))])
    assert lines[1].unaccounted == 3


def test_the_page_is_text_and_nothing_else(page: str) -> None:
    found = seen(page)
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "iframe", "object", "a", "form", "base"})
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"href", "srcset", "style"}]
        assert (attributes.get("src") or "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
    assert "@import" not in page and "url(" not in page
    policy = next(attributes["content"] for _, attributes in found.tags if "http-equiv" in attributes)
    assert policy is not None and policy.startswith("default-src 'none'")


def test_evil_texts_are_shown_as_texts(run: Run) -> None:
    from witbuild.report import samples, sections

    _, shards = run.newest("tars")
    tiles = samples.choose(run.paths(shards, "tars"), 1000)
    evil = [tile for tile in tiles if tile.caption == EVIL]
    assert len(evil) == 1 and list(evil[0].queries) == [EVIL_QUERY]
    text = seen(sections._tile(evil[0]))
    assert {tag for tag, _ in text.tags} == {"figure", "div", "img", "figcaption", "bdi", "span"}
    assert EVIL in text.text and EVIL_QUERY in text.text
    assert [tile.caption for tile in tiles if tile.image is None] == ["a circle thing, number 6"]


def test_the_page_says_what_the_run_says(run: Run, page: str) -> None:
    text = seen(page).text
    assert run.merkle_root() in text
    assert "<i>my run" in text
    for name, rows in {"no_caption": 62, "too_short": 24}.items():
        assert f"{name} {rows}" in text
    over = next(one.dropped["over_limit"] for _, one in run.manifests() if one.identity.name == "balance")
    assert f"over_limit {over}" in text
    assert "41.2%" in text and "held-out <things>" in text
    assert "hue=<dark>" in text and "held-out <things>, few images a class" in text
    assert page.count("few-shot linear probe") >= 1
    assert "599 steps" in text
    assert "unaccounted" not in text


def test_what_was_planted_stands_beside_what_was_found(tmp_path: Path) -> None:
    run = make(str(tmp_path / "run"), Harvested(pairs=20))
    assert "Planted" not in build(run)
    planted.write(run.root, [planted.Compared("pairs <found>", 9, 9), planted.Compared("fetch.http_404", 1234, 7)])
    text = seen(build(run)).text
    assert "1 of 2 numbers agree" in text
    assert "pairs <found>99agreesfetch http_4041,2347differs" in text


def test_a_comparison_of_another_shape_is_named(tmp_path: Path) -> None:
    (tmp_path / planted.FILE).write_text('[{"name": "a", "planted": 1}]')
    with pytest.raises(CorruptPartError, match=r"planted\.json: not what the demo writes"):
        planted.read(str(tmp_path))


def test_the_page_is_the_same_twice(run: Run, page: str) -> None:
    assert build(run) == page
    assert len(re.findall("<figure", page)) == 24


def test_the_curve_counts_every_match(run: Run) -> None:
    found = read_balance(run)
    assert found is not None and found.limit == 20 and found.listed == 309
    harvested = next(one for _, one in run.manifests() if one.identity.name == "harvest")
    paths = run.paths(harvested, "pairs")
    matches = [query for path in paths for ids in tables.read(path)["query_ids"].to_pylist() for query in ids]
    assert found.before.tolist() == sorted(Counter(matches).values(), reverse=True)
    assert found.after is not None and found.after.max() <= 20
    assert np.array_equal(count_queries(paths[::-1]), found.before)


def test_a_run_on_its_way_has_the_sections_it_can_have(tmp_path: Path) -> None:
    unmatched = make(str(tmp_path / "begun"), Harvested(pairs=20))
    text = seen(build(unmatched)).text
    assert "Funnel" in text and "Balance" in text
    assert not {"Samples", "Training", "Scores"} & set(re.findall(r"\w[\w-]+", text))


def test_an_unfinished_stage_is_named(tmp_path: Path) -> None:
    run = make(str(tmp_path / "run"), Harvested(pairs=20), Balanced())
    (tmp_path / "run" / "02-balance" / "manifest.json").unlink()
    assert "Not whole yet: 02-balance" in seen(build(run)).text


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    assert "No stage of this run is whole yet" in build(Run(str(tmp_path)))
