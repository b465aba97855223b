"""Why a text is in the list or not: every way in and every way out."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.sources.dump import dump, page
from tests.stages.test_queries import SAMPLE, build, rows
from witbuild.audit.listed import Listed, explain_query
from witbuild.errors import InputError
from witbuild.io import store, tables
from witbuild.io.run import Run

TEXT = "red wug and red wug by a red wug\nan ice cream\nan ice cream\nred tree\nSt Louis 3d\na blick or a blick\n"
VIEWS = b"en Red_wug 50 0\nen Rd 25 0\nen Ice_Cream 7 0\nen Ice_cream 9 0\nen Blue_wug 80 0\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("listed")
    (folder / "dump.xml").write_bytes(dump(page("T", TEXT), page("U", "red"), page("Rd", "#R", redirect="Red wug")))
    (folder / "views.gz").write_bytes(gzip.compress(VIEWS))
    (folder / "list.txt").write_text("Tree house\n...\n")
    return build(
        folder / "run",
        wikipedia=[str(folder / "dump.xml")],
        pageviews=[str(folder / "views.gz")],
        lists=[str(folder / "list.txt")],
        min_count=3,
        min_pages=2,
        min_bigram_count=2,
        min_bigram_word_count=2,
        bigrams=2,
        min_views=70,
        numbers=2,
        synsets=True,
        budget=9,
    )


def said(found: Listed) -> dict[str, str]:
    return {verdict.source: ("yes: " if verdict.proposes else "no: ") + verdict.says for verdict in found.sources}


def test_the_list_is_as_the_cases_below_want_it(run: Run) -> None:
    found = [(row["query"], row["source"]) for row in rows(run)]
    assert found[:7] == [
        ("tree house", "list"),
        ("0", "number"),
        ("1", "number"),
        ("red", "word"),
        ("an ice", "bigram"),
        ("ice cream", "bigram"),
        ("blue wug", "title"),
    ]
    assert found[7:] == [("red wug", "title"), ("entity", "synset")]


@pytest.mark.parametrize(
    ("text", "verdict", "sources"),
    [
        ("Red", "in the list: query_id 3, as a word, rank 0, count 5, score 5",
            {"word": "yes: count 5 (needed 3), rank 0", "title": "no: nobody looked at such a title",
             "synset": "yes: the name of a synset of WordNet"}),
        ("Ice-Cream!", "in the list: query_id 5, as a bigram, rank 1, count 2, score 3.64386",
            {"bigram": "yes: count 2, PMI 3.64386 (needed 3.64386), rank 1",
             "title": "no: 'Ice cream' has 9 views (needed 70)", "synset": "yes: the name of a synset of WordNet"}),
        ("red wug", "in the list: query_id 7, as a title, rank 1, count 75, score 75",
            {"bigram": "no: count 3, PMI 2.32193 (needed 3.64386)",
             "title": "yes: 'Red wug' has 75 views (needed 70), rank 1"}),
        ("tree house", "in the list: query_id 0, as a list, rank 0",
            {"list": "yes: a line of LIST", "bigram": "no: the corpus does not hold the bigram",
             "title": "no: nobody looked at such a title", "synset": "yes: the name of a synset of WordNet"}),
        ("wug", "not in the list: articles that hold it 1, needed 2; nobody looked at such a title",
            {"word": "no: articles that hold it 1, needed 2"}),
        ("blick", "not in the list: count 2, needed 3; nobody looked at such a title",
            {"word": "no: count 2, needed 3"}),
        ("wugg", "not in the list: the corpus does not hold the word; nobody looked at such a title", {}),
        ("3d", "not in the list: it holds a number, so it is no word; nobody looked at such a title", {}),
        ("red tree", "not in the list: count 1, needed 2; nobody looked at such a title",
            {"bigram": "no: count 1, needed 2"}),
        ("wug and red", "not in the list: nobody looked at such a title", {}),
        ("zygote", "not in the list: the budget of 9 was used up by what comes before it",
            {"word": "no: the corpus does not hold the word", "synset": "yes: the name of a synset of WordNet"}),
        ("1", "in the list: query_id 2, as a number, rank 1", {"number": "yes: one of the numbers from 0 to 1"}),
        ("?!", "not in the list: no caption can match it", {}),
    ],
)  # fmt: skip
def test_every_way_in_and_out(run: Run, text: str, verdict: str, sources: dict[str, str]) -> None:
    found = explain_query(run.root, text)
    assert found.verdict == verdict
    shown = {
        source: says.replace(str(Path(run.root).parent / "list.txt"), "LIST") for source, says in said(found).items()
    }
    assert sources.items() <= shown.items()
    assert (found.row is not None) == verdict.startswith("in the list")


def test_every_query_of_a_real_list_is_explained_by_its_source(tmp_path: Path) -> None:
    given: dict[str, Any] = {"min_count": 9, "min_bigram_count": 4, "min_bigram_word_count": 9, "bigrams": 50}
    for score in ("pmi", "npmi", "metaclip2"):
        run = build(tmp_path / score, wikipedia=[SAMPLE], score=score, **given)
        listed = rows(run)
        for row in [*listed[:3], *listed[-60::9]]:
            found = explain_query(run.root, row["query"])
            assert found.row == row
            (verdict,) = found.sources
            assert (verdict.source, verdict.proposes) == (row["source"], True)
            assert f"rank {row['rank']:,}" in verdict.says
            assert f"count {row['count']:,}" in verdict.says
        assert [verdict.proposes for verdict in explain_query(run.root, "and the").sources] == [False]


def test_a_list_as_one_file_knows_its_rows(tmp_path: Path, run: Run) -> None:
    path = str(tmp_path / "queries.parquet")
    with store.commit(path) as partial:
        tables.write(partial, tables.read_all(run.paths(run.newest("queries")[1], "queries")), dropped={})
    assert explain_query(path, "Ice-Cream!").verdict == explain_query(run.root, "ice cream").verdict
    assert explain_query(path, "zebu").verdict == (
        "not in the list; the list does not say why: ask the run that made it"
    )


def test_a_run_without_a_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}: not a run directory"):
        explain_query(str(tmp_path), "dog")
