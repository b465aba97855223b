"""What the page tells of matches, duplicates and balance: that of the pairs, counted one by one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from witbuild.cli.results import status
from witbuild.engine.local import LocalEngine
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.report import build, duplicates
from witbuild.report.balance import Counted, read_balance, shares
from witbuild.report.funnel import queries_a_pair
from witbuild.runner import run_recipe
from witbuild.schema import PAIRS, QUERIES
from witbuild.stages.balance import Balance
from witbuild.stages.dedup import Dedup
from witbuild.stages.match import Match
from witbuild.text.keys import pair_key

WORDS = ("dog", "cat", "fish", "owl", "newt")
CAPTIONS = [f"the {WORDS[i % 3]} number {i} of our album" for i in range(40)]
CAPTIONS += [f"a {one} and a dog" for one in ("cat", "owl")] + ["nothing here", "a <b>dog</b> of whom two know"]
COPIES = 6


def made(folder: Path, **balance: Any) -> Run:
    """Match, join the copies of the last caption, balance."""
    captions = [*CAPTIONS, *[CAPTIONS[-1]] * COPIES]
    rows = [
        {
            "url": f"http://a.test/{i}.jpg",
            "caption": caption,
            "caption_source": "alt",
            "source": "list",
            "height": i + 1,
        }
        | {"key": pair_key(f"http://a.test/{i}.jpg", caption), "width": 9}
        for i, caption in enumerate(captions)
    ]
    folder.mkdir()
    for part in range(2):
        tables.write(folder / f"{part}.parquet", tables.from_rows(rows[part::2], PAIRS), dropped={})
    listed = [{"query_id": i, "query": word, "source": "word", "rank": i} for i, word in enumerate(WORDS)]
    (folder / "queries").mkdir()
    tables.write(folder / "queries" / "0.parquet", tables.from_rows(listed, QUERIES), dropped={})
    inputs = {"pairs": str(folder / "*.parquet"), "queries": str(folder / "queries")}
    stages = (Match(), Dedup(scope="caption", slices=2), Balance(slices=2, **balance))
    with LocalEngine(1) as engine:
        return run_recipe(Recipe(stages=stages, inputs=inputs), str(folder / "run"), engine)


def matches(captions: list[str]) -> Counter[str]:
    return Counter(word for caption in captions for word in WORDS if word in caption)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("made") / "in", limit=5)


def test_queries_a_pair(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    told = {one.identity.name: queries_a_pair(run, one) for _, one in run.manifests()}
    count = len(CAPTIONS) - 1 + COPIES
    mean = matches([*CAPTIONS, *[CAPTIONS[-1]] * COPIES]).total() / count
    assert told["match"] == pytest.approx(mean)
    assert {value for name, value in told.items() if name != "match"} == {None}
    status(run.root, json_output=False)
    assert f"no_query 1; {count / (count + 1):.1%} kept, {mean:.1f} queries a pair" in capsys.readouterr().out
    status(run.root, json_output=True)
    assert f'"queries_a_pair": {mean:.3f}'.rstrip("0") in capsys.readouterr().out


def test_duplicates_are_told_with_examples(run: Run) -> None:
    (found,) = duplicates.read(run)
    assert (found.sizes, found.pairs) == ({COPIES + 1: 1}, COPIES + 1)
    (cluster,) = found.examples
    assert cluster.pairs == COPIES + 1
    assert {member.caption for member in cluster.members} == {CAPTIONS[-1]}
    assert [member.reason for member in cluster.members] == ["", *["duplicate_caption"] * 3]
    assert cluster.members[0].url == f"http://a.test/{len(CAPTIONS) + COPIES - 1}.jpg"


def test_head_and_tail_are_told_before_and_after(run: Run) -> None:
    found = read_balance(run)
    before, after = matches(CAPTIONS), Counter[str]()
    for path in run.paths(run.newest("pairs")[1], "pairs"):
        after += matches(tables.read(path)["caption"].to_pylist())
    assert found is not None and found.after is not None
    assert (found.before.tolist(), found.after.tolist()) == tuple(
        sorted(counts.values(), reverse=True) for counts in (before, after)
    )
    assert found.limit == 5
    told = {name: (old, new) for name, old, new in shares(found)}
    assert told["matches"] == (str(before.total()), str(after.total()))
    assert told["queries without a pair"] == (str(5 - len(before)), str(5 - len(after)))
    over = tuple(str(sum(count > 5 for count in counts.values())) for counts in (before, after))
    assert told["queries over the limit of 5"] == over
    tail = tuple(
        f"{sum(count for count in counts.values() if count <= 5) / counts.total():.1%}" for counts in (before, after)
    )
    assert told["tail: share of the matches on queries of at most 5"] == tail
    most = [Counted(word, count, 0, 0, after[word]) for word, count in before.most_common()]
    assert [one._replace(charged=0, quota=0) for one in found.most] == most
    assert all(one.quota == min(one.charged, 5) for one in found.most)
    assert sum(one.charged for one in found.most) == len(CAPTIONS) - 1


def test_the_limit_is_the_one_that_was_chosen(tmp_path: Path) -> None:
    found = read_balance(made(tmp_path / "in", target_pairs=12))
    assert found is not None and found.limit == 3


def test_the_page_shows_them(run: Run) -> None:
    page = build(run)
    assert f"1 clusters of {COPIES + 1} pairs." in page
    assert "&lt;b&gt;dog&lt;/b&gt;" in page and "<b>dog" not in page
    assert "duplicate_caption" in page and "stays" in page
    assert "queries over the limit of 5" in page and "charged to it" in page
    assert "queries a matched pair" in page
