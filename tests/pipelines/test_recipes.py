"""Every published recipe that ships, run whole: for each of its rules a pair that breaks it and no other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.planted import GOOD, Case, carry_out, check, expected, picture, play, survivors
from tests.server import Reply
from tests.warcs import bodies
from witbuild.recipe import Recipe, recipe_names, shipped
from witbuild.recipe.yaml import load

PUBLISHED = [
    "align-1.8b",
    "cc12m",
    "clip-wit",
    "coyo-700m",
    "datacomp-basic",
    "laion-400m",
    "laion-5b",
    "metaclip-400m",
    "redcaps",
]
"""Recipes of papers and their code."""


def test_the_recipes_of_the_field_ship() -> None:
    assert set(PUBLISHED) <= set(recipe_names())


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_line_says_where_it_comes_from(name: str) -> None:
    path = shipped("pipelines", f"{name}.yaml")
    _, lines = load(path.read_text(), str(path))
    text = path.read_text().splitlines()
    assert "20" in text[0] and any(word in "".join(text[:3]) for word in ("arXiv", "github.com", "ACL"))
    silent = {"source", "preset", "inputs", "rules", "word_lists", "stages"}
    for place, number in lines.items():
        key = str(place[-1]) if place else ""
        line = text[number - 1]
        last = isinstance(place[-1], str) if place else False
        if len(place) < 4 or not last or key in silent or not line.strip().lstrip("- ").startswith(f"{key}:"):
            continue
        block = _comments_around(text, number - 1)
        assert "#" in block, f"{path.name}:{number}: {line}"


def _comments_around(text: list[str], index: int) -> str:
    """The line with the one before it and, for one of two such as min and max, the other."""
    start = index
    indent = len(text[index]) - len(text[index].lstrip(" -"))
    while start and (len(text[start]) - len(text[start].lstrip(" -"))) >= indent and index - start < 2:
        start -= 1
    return "\n".join(text[start : index + 1])


@pytest.mark.parametrize(
    ("name", "left", "drops"),
    [
        ("laion-5b", 2, {"too_few_bytes": 15}),
        ("laion-400m", 1, {"reliable_language": 14, "too_few_bytes": 2}),
    ],
)
def test_a_real_page_with_its_pictures(
    shared: Path, tmp_path: Path, name: str, left: int, drops: dict[str, int]
) -> None:
    archive = shared / "warc" / "main-page.warc.gz"
    held = bodies(archive)
    pages = {url: Reply(body, headers={"Content-Type": kind}) for url, (kind, body) in held.items()}
    recipe = Recipe.load(name).without(["score", "filter.min_clip_score"])
    ran = carry_out(recipe, tmp_path, pages, {"harvest.source": "warc", "harvest.inputs": [str(archive)]})
    assert (len(ran.captions), ran.dropped) == (left, drops)


def test_overrides_are_judged_together() -> None:
    recipe = Recipe.load("clip-wit").with_overrides(
        ["queries.synsets=false", "queries.wikipedia=[]", "queries.pageviews=[]", "queries.lists=[a.txt]"]
    )
    assert "lists" in recipe.to_yaml()


def test_clip_wit(tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("dog\nboat\nstreet\n")
    words = ["red", "green", "small", "wet"]
    many = [Case(f"a {word} dog number {number}", "over_limit") for number, word in enumerate(words)]
    many = [*many[:2], *(Case(case.caption) for case in many[2:])]
    cases = [*map(Case, GOOD[1:]), Case("nothing that anybody asked for", "no_query"), *many]
    changes = {
        "queries.wikipedia": [],
        "queries.pageviews": [],
        "queries.synsets": False,
        "queries.lists": [str(queries)],
    }
    ran = play("clip-wit", cases, tmp_path, {**changes, "balance.limit": 2})
    assert ran.dropped == expected(cases)
    assert len(ran.captions) == len(survivors(cases))
    assert sum("dog" in caption for caption in ran.captions) == 2


def test_clip_wit_drops_copies(tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("dog\nboat\nstreet\n")
    same = picture(7)
    cases = [
        Case(GOOD[0], url="http://a.test/same.jpg"),
        Case(GOOD[0] + " today", "duplicate_url", url="http://a.test/same.jpg"),
        Case(GOOD[1], image=same),
        Case(GOOD[1], "duplicate_image", image=same),
    ]
    changes = {
        "queries.wikipedia": [],
        "queries.pageviews": [],
        "queries.synsets": False,
        "queries.lists": [str(queries)],
    }
    ran = play("clip-wit", cases, tmp_path, changes)
    assert ran.dropped == expected(cases)
    assert len(ran.captions) == 2


def test_datacomp_basic(tmp_path: Path) -> None:
    def row(number: int, width: int = 420, height: int = 420, image: bytes | None = None) -> dict[str, Any]:
        sha256 = hashlib.sha256(image or picture(number)).hexdigest()
        return {"original_width": width, "original_height": height, "sha256": sha256}

    texts: list[tuple[str, str, dict[str, Any]]] = [
        (GOOD[0], "", {}),
        (GOOD[1], "", {"width": 200, "height": 600}),
        ("der rote Hund auf dem grünen Rasen im Garten", "language", {}),
        ("garden dog", "min_words", {}),
        ("I a m", "min_characters", {}),
        (GOOD[2], "min_side", {"width": 199}),
        ("a wide view of the mountains in winter", "max_aspect", {"width": 1261}),
        ("the picture that is another one today", "hash_mismatch", {"image": b"other"}),
    ]
    cases = [Case(text, why, row=row(number, **more)) for number, (text, why, more) in enumerate(texts)]
    check(play("datacomp-basic", cases, tmp_path), cases)
