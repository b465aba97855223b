"""The query list from end to end: counts against a plain reference, published numbers, law 5, broken input."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.sources.dump import dump, page
from tests.text import reference_wikitext
from tests.text.test_counting import reference
from witbuild.engine.local import LocalEngine
from witbuild.errors import EmptyError, InputError, RecipeError
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.recipe.recipe import make_stage
from witbuild.runner import run_recipe
from witbuild.sources import corpus
from witbuild.sources.wikipedia import read_header, read_pages
from witbuild.stages.queries import Queries
from witbuild.text.tokens import SEMANTICS, Semantics
from witbuild.text.words import is_word, line_tokens

SAMPLE = str(resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2")
SMALL: dict[str, Any] = {"slices": 2, "synsets": False}
CAPTIONS = ["red dog and red dog", "red dog by a tree", "a tree", "ice cream. Ice cream", "dog"]


def build(root: Path, *, workers: int = 1, **parameters: Any) -> Run:
    with LocalEngine(workers=workers) as engine:
        return run_recipe(Recipe(stages=(Queries(**{**SMALL, **parameters}),)), str(root), engine)


def rows(run: Run, kind: str = "queries") -> list[dict[str, Any]]:
    _, manifest = run.newest(kind)
    found: list[dict[str, Any]] = tables.read_all(run.paths(manifest, kind)).to_pylist()
    return found


def names(run: Run) -> list[str]:
    return [row["query"] for row in rows(run)]


def write_dump(path: Path, *texts: str) -> str:
    path.write_bytes(bz2.compress(dump(*(page(f"T{number}", text) for number, text in enumerate(texts)))))
    return str(path)


def article_texts(path: str) -> list[str]:
    media = ("file", "image", "media", "category", *(name.lower() for name in read_header(path).media))
    pages = [found for found in read_pages(path, Counter()) if not found.redirect]
    return [reference_wikitext.plain_text(found.text.decode(), media) for found in pages]


def check_counts(root: Path, path: str, semantics: Semantics) -> None:
    """Hold every count and PMI of a dump to the plain reference."""
    words, spread, bigrams = reference(article_texts(path), semantics)
    run = build(
        root,
        wikipedia=[path],
        semantics=semantics,
        min_count=1,
        min_bigram_count=1,
        min_bigram_word_count=1,
        bigrams=10**9,
        budget=10**9,
    )
    found = rows(run, "word_counts")
    assert {row["word"]: (row["count"], row["pages"]) for row in found} == {w: (words[w], spread[w]) for w in words}
    total = sum(words.values())
    assert sum(row["words"] for row in rows(run, "corpus")) == total
    pairs = rows(run, "bigram_counts")
    assert {row["bigram"]: row["count"] for row in pairs} == {" ".join(pair): n for pair, n in bigrams.items()}
    for row in pairs[::97]:
        first, second = row["bigram"].split(" ")
        assert row["pmi"] == pytest.approx(math.log2(row["count"] * total / (words[first] * words[second])))


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_counts_of_real_pages_are_exact(tmp_path: Path, semantics: Semantics) -> None:
    check_counts(tmp_path, SAMPLE, semantics)


def test_counts_of_a_whole_real_dump_are_exact(tmp_path: Path, shared: Path) -> None:
    for number, path in enumerate(sorted((shared / "wikipedia").glob("*.bz2"))):
        check_counts(tmp_path / str(number), str(path), "witbuild")


def test_metaclips_synsets_and_numbers_are_86654(tmp_path: Path) -> None:
    run = build(tmp_path, synsets=True, cut_synsets=True, numbers=100, order="metaclip", semantics="metaclip")
    assert Counter(row["source"] for row in rows(run)) == {"synset": 86_554, "number": 100}
    assert names(run)[:101][-2:] == ["99", "entity"]


def test_the_faithful_default_keeps_a_name_with_a_full_stop_whole(tmp_path: Path) -> None:
    found = set(names(build(tmp_path, synsets=True)))
    assert "st petersburg" in found
    assert "st" not in found


def test_words_bigrams_and_lists_in_clips_order(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("Tree house\n...\n")
    run = build(
        tmp_path / "run",
        wikipedia=[write_dump(tmp_path / "d.bz2", *CAPTIONS)],
        lists=[str(listed)],
        min_count=3,
        min_bigram_count=2,
        min_bigram_word_count=1,
        bigrams=1,
        numbers=1,
    )
    found = [(row["query"], row["source"], row["count"], row["rank"]) for row in rows(run)]
    assert found == [
        ("tree house", "list", None, 0),
        ("0", "number", None, 0),
        ("dog", "word", 4, 0),
        ("red", "word", 3, 1),
        ("a tree", "bigram", 2, 0),
    ]
    assert rows(run)[-1]["score"] == pytest.approx(math.log2(2 * 17 / (2 * 2)))
    assert [row["query_id"] for row in rows(run)] == list(range(5))
    dropped = {folder.name: dict(+Counter(manifest.dropped)) for folder, manifest in run.manifests()}
    assert dropped == {
        "01-queries.count": {},
        "02-queries.words": {},
        "03-queries.bigrams": {"rare_bigram": 5, "low_score": 1},  # in its slice
        "04-queries.list": {"rare_word": 6, "low_score": 1, "cannot_match": 1},
    }


def test_a_word_of_few_pages_can_be_left_out(tmp_path: Path) -> None:
    dumps = [write_dump(tmp_path / "d.bz2", *CAPTIONS)]
    assert names(build(tmp_path / "run", wikipedia=dumps, min_count=2, min_pages=3, bigrams=0)) == ["dog"]


def test_words_can_have_a_budget_of_their_own(tmp_path: Path) -> None:
    dumps = [write_dump(tmp_path / "d.bz2", *CAPTIONS)]
    run = build(tmp_path / "run", wikipedia=dumps, min_count=2, words=2, bigrams=2, min_bigram_count=2)
    assert names(run) == ["dog", "red"]  # no bigram: its words must occur 100 times
    assert run.newest("queries")[1].dropped["low_score"] == 4


def test_the_budget_cuts_what_comes_last(tmp_path: Path) -> None:
    dumps = [write_dump(tmp_path / "d.bz2", *CAPTIONS)]
    run = build(tmp_path / "run", wikipedia=dumps, min_count=1, bigrams=0, budget=2, synsets=True)
    assert names(run) == ["dog", "red"]
    assert run.newest("queries")[1].dropped["over_budget"] > 80_000


def test_a_score_that_nothing_reaches_leaves_no_bigram(tmp_path: Path) -> None:
    given: dict[str, Any] = {"wikipedia": [SAMPLE], "min_count": 2, "min_bigram_count": 1, "min_bigram_word_count": 1}
    run = build(tmp_path / "run", **given, min_score=30)
    assert {row["source"] for row in rows(run)} == {"word"}
    assert rows(run, "bigram_counts") == []
    hapaxes = build(tmp_path / "hapaxes", **given, min_score=16)
    counts = [row["count"] for row in rows(hapaxes) if row["source"] == "bigram"]
    assert set(counts) == {1}
    assert len(counts) > 100


VIEWS = (
    b"en Red_dog 40 0\nen.m Red_dog 40 0\nen Rd 25 0\nen Cat 69 0\nen Talk:Cat 99 0\nen Datei:Cat 99 0\nfr Chat 999 0\n"
)


def test_titles_need_their_views_and_redirects_lead_to_their_article(tmp_path: Path) -> None:
    path, views = tmp_path / "d.xml", tmp_path / "pageviews-20240101-000000.gz"
    path.write_bytes(dump(page("Red dog", "x"), page("Rd", "#REDIRECT", redirect="Red dog")))
    views.write_bytes(gzip.compress(VIEWS))
    more = tmp_path / "pageviews-20240101-010000.gz"
    more.write_bytes(gzip.compress(b"en Red_dog 1 0\nen Cat 0 0\n"))
    run = build(tmp_path / "run", wikipedia=[str(path)], pageviews=[str(tmp_path / "pageviews-*")], bigrams=0)
    assert [tuple(row.values()) for row in rows(run)] == [(0, "red dog", "title", 106, 106.0, 0)]
    dropped = [dict(+Counter(manifest.dropped)) for _, manifest in run.manifests()]
    assert {"other_namespace": 2} in dropped
    assert {"rare_title": 1} in dropped
    desktop = build(
        tmp_path / "desktop", pageviews=[str(views)], access=["desktop"], min_views=25, min_views_in_file=30
    )
    assert [(row["query"], row["count"]) for row in rows(desktop)] == [
        ("datei cat", 99),  # only a dump says that Datei is a namespace
        ("cat", 69),
        ("red dog", 40),
    ]


def test_word_lists_give_the_same_words_as_the_text_that_they_count(tmp_path: Path) -> None:
    words, _, _ = reference(article_texts(SAMPLE), "witbuild")
    listed = tmp_path / "words.txt"
    listed.write_text("".join(f"{word} {n}\n" for word, n in sorted(words.items())))
    from_text = build(tmp_path / "text", wikipedia=[SAMPLE], min_count=5, bigrams=0)
    from_list = build(tmp_path / "list", word_counts=[str(listed)], min_count=5)
    assert rows(from_text) == rows(from_list)


def test_a_real_word_list(tmp_path: Path, shared: Path) -> None:
    path = shared / "wordfreq" / "afwiki-2024-02-20.txt.xz"
    expected: Counter[str] = Counter()
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        word, number = line.split(" ")
        expected.update({token: int(number) * n for token, n in Counter(line_tokens(word)).items() if is_word(token)})
    found = rows(build(tmp_path, word_counts=[str(path)]))
    assert {row["query"]: row["count"] for row in found} == {w: n for w, n in expected.items() if n >= 100}
    assert [row["count"] for row in found] == sorted((row["count"] for row in found), reverse=True)
    assert found[0]["query"] == "die"


def test_any_number_of_workers_ranges_and_slices_gives_the_same_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"wikipedia": [SAMPLE], "min_count": 3, "min_bigram_count": 2, "bigrams": 900}
    given["min_bigram_word_count"] = 3
    one, two = build(tmp_path / "one", **given), build(tmp_path / "two", workers=2, **given)
    assert one.merkle_root() == two.merkle_root()
    monkeypatch.setattr(corpus, "RANGE_BYTES", 40_000)
    ranges = build(tmp_path / "ranges", **given)
    assert len(rows(ranges, "corpus")) == 8
    assert rows(ranges) == rows(one)
    assert rows(build(tmp_path / "slices", **{**given, "slices": 7})) == rows(one)


SCRIPT = """
import sys
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.queries import Queries
stage = Queries(wikipedia=[sys.argv[1]], min_count=3, min_bigram_count=2, slices=2, order="metaclip", numbers=9)
print(run_recipe(Recipe(stages=(stage,)), sys.argv[2], LocalEngine(workers=1)).merkle_root())
"""


def test_the_hash_seed_changes_nothing(tmp_path: Path) -> None:
    roots = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", SCRIPT, SAMPLE, str(tmp_path / seed)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        roots.add(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(roots) == 1


def test_a_truncated_dump_leaves_no_list(tmp_path: Path) -> None:
    path = tmp_path / "d.bz2"
    path.write_bytes(Path(SAMPLE).read_bytes()[:100_000])
    with pytest.raises(InputError, match=r"d\.bz2: compressed stream at byte \d+: the file ends within it"):
        build(tmp_path / "run", wikipedia=[str(path)])
    published = [path for path in (tmp_path / "run").rglob("*.parquet") if "scratch" not in path.parts]
    assert published == []


def test_an_empty_list_is_an_error_that_names_what_was_read(tmp_path: Path) -> None:
    dumps = [write_dump(tmp_path / "d.bz2", "a dog")]
    said = r"yielded no queries; read d\.bz2 from 0 \(1 articles, 2 words\); dropped: nothing"
    with pytest.raises(EmptyError, match=said):
        build(tmp_path / "run", wikipedia=dumps, bigrams=0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"wikipedia": ["a"], "word_counts": ["b"]}, "wikipedia or word_counts, not both"),
        ({"synsets": False}, "a source: wikipedia, word_counts, pageviews"),
        ({"order": "alphabet"}, "'clip' or 'metaclip'"),
        ({"wikipedia": "dump.xml"}, "expected: .*list"),
    ],
)
def test_parameters_that_give_no_list_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        make_stage("queries", values)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        build(tmp_path, wikipedia=["/nowhere/*.bz2"])


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "queries").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_recipe_of_a_list_is_one(path: Path) -> None:
    recipe = Recipe.load(str(path))
    assert recipe.name == path.stem
    assert [type(stage) for stage in recipe.stages] == [Queries]
