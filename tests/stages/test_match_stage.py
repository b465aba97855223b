"""The stage `match`: what is kept, what is dropped, and which list it was matched to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from witbuild.errors import EmptyError, InputError
from witbuild.io import tables
from witbuild.schema import PAIRS, QUERIES
from witbuild.stage import Part, Task
from witbuild.stages import match
from witbuild.stages.match import Match
from witbuild.text.keys import pair_key

CAPTIONS = ["A red square", "green Circle, big", "nothing here", "", "red squares", "RED-square and circle"]


def pairs(captions: list[str]) -> pa.Table:
    url = "http://a.test/1.png"
    rows = [
        {"key": pair_key(url, c), "url": url, "caption": c, "caption_source": "alt", "source": "list"} for c in captions
    ]
    return tables.from_rows(rows, PAIRS)


def save(path: Path, table: pa.Table) -> str:
    tables.write(path, table, dropped={})
    return str(path)


def query_list(path: Path, queries: list[str], first: int = 0) -> str:
    rows = [{"query_id": first + i, "query": q, "source": "list", "rank": i} for i, q in enumerate(queries)]
    return save(path, tables.from_rows(rows, QUERIES))


def run(folder: Path, stage: Match, queries: list[str], captions: list[str] = CAPTIONS) -> Part:
    sources = {
        "pairs": (save(folder / "pairs.parquet", pairs(captions)),),
        "queries": (query_list(folder / "queries.parquet", queries),),
    }
    (task,) = stage.plan(sources)
    return stage.process(task)


def test_kept_pairs_name_their_queries(tmp_path: Path) -> None:
    part = run(tmp_path, Match(), ["circle", "red square", "square", "blue"])
    assert part.table["caption"].to_pylist() == [CAPTIONS[0], CAPTIONS[1], CAPTIONS[5]]
    assert part.table["query_ids"].to_pylist() == [[1, 2], [0], [0, 1, 2]]
    assert part.dropped == {"no_query": 3}
    assert part.table.schema == PAIRS


def test_unmatched_pairs_may_stay(tmp_path: Path) -> None:
    part = run(tmp_path, Match(keep_unmatched=True), ["circle"])
    assert part.table["caption"].to_pylist() == CAPTIONS
    assert part.table["query_ids"].to_pylist() == [[], [0], [], [], [], [0]]
    assert dict(part.dropped) == {}


def test_case_counts_where_asked(tmp_path: Path) -> None:
    part = run(tmp_path, Match(semantics="exact-case"), ["circle"])
    assert part.table["caption"].to_pylist() == [CAPTIONS[5]]


def test_no_pairs_give_no_pairs(tmp_path: Path) -> None:
    part = run(tmp_path, Match(), ["circle"], captions=[])
    assert (part.table.num_rows, part.dropped, part.table.schema) == (0, {"no_query": 0}, PAIRS)


def test_a_list_in_parts_is_one_list(tmp_path: Path) -> None:
    one, two = query_list(tmp_path / "0.parquet", ["red", "big"]), query_list(tmp_path / "1.parquet", ["square"], 2)
    pair = save(tmp_path / "pairs.parquet", pairs(CAPTIONS))
    part = Match().process(Task(0, {"pairs": (pair,), "queries": (one, two)}))
    assert part.table["query_ids"].to_pylist() == [[0, 2], [1], [0], [0, 2]]


def test_a_list_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    assert run(tmp_path, Match(), ["circle"]).table.num_rows == 2
    assert run(tmp_path, Match(), ["nothing"]).table.num_rows == 1


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the processes of a user share matchers."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir()
    match._matcher.cache_clear()
    return tmp_path / "shared"


def test_the_matcher_is_built_once_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = tables.read

    def noting(path: str, columns: list[str] | None = None) -> pa.Table:
        reads.append(path)
        return read(path, columns)

    monkeypatch.setattr(tables, "read", noting)
    sources = {
        "pairs": tuple(save(tmp_path / f"{i}.parquet", pairs(CAPTIONS)) for i in range(3)),
        "queries": (query_list(tmp_path / "queries.parquet", ["circle"]),),
    }
    match._matcher.cache_clear()
    parts = [Match().process(task) for task in Match().plan(sources)]
    assert [part.table.num_rows for part in parts] == [2, 2, 2]
    assert sorted(reads) == sorted([*sources["pairs"], *sources["queries"]])


def test_processes_of_a_machine_map_one_matcher(tmp_path: Path, temporary: Path) -> None:
    queries = query_list(tmp_path / "queries.parquet", ["circle", "red square"])
    task = Task(0, {"pairs": (save(tmp_path / "pairs.parquet", pairs(CAPTIONS)),), "queries": (queries,)})
    whole = Match().process(task)
    file = match.shared_file([queries], "witbuild")
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    before, mapped = file.stat().st_ino, file.stat().st_size
    script = (
        "from witbuild.stages import match; matcher = match._matcher(match._states((%r,)), 'witbuild');"
        "print(sum(file in line for file in [%r] for line in open('/proc/self/maps')),"
        "matcher.match(__import__('pyarrow').array(['a circle'])).to_pylist())"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", script % (queries, str(file))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split(" ", 1) == ["1", "[[0]]\n"]
    assert (file.stat().st_ino, file.stat().st_size) == (before, mapped)
    match._matcher.cache_clear()
    assert Match().process(task).table.equals(whole.table)


def test_a_process_has_its_own_matcher_where_no_file_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    assert run(tmp_path, Match(), ["circle"]).table.num_rows == 2


def test_matchers_of_other_lists_do_not_pile_up(tmp_path: Path, temporary: Path) -> None:
    for number in range(7):
        run(tmp_path, Match(), [f"circle {number}"])
    assert len(list(temporary.glob("*/matcher-*"))) == match._KEPT


def test_a_file_that_is_no_matcher_is_named(tmp_path: Path) -> None:
    queries = query_list(tmp_path / "queries.parquet", ["circle"])
    match.shared_file([queries], "witbuild").write_bytes(b"no" * 999)
    with pytest.raises(InputError, match=r"matcher-[0-9a-f]{32}: not a stored trie"):
        Match().process(Task(0, {"pairs": (save(tmp_path / "p.parquet", pairs(CAPTIONS)),), "queries": (queries,)}))


def test_an_empty_list_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EmptyError, match=r"queries\.parquet: the query list is empty"):
        run(tmp_path, Match(), [])


def test_a_list_whose_numbers_are_not_its_rows_is_refused(tmp_path: Path) -> None:
    sources = {
        "pairs": (save(tmp_path / "pairs.parquet", pairs(CAPTIONS)),),
        "queries": (query_list(tmp_path / "queries.parquet", ["circle"], first=7),),
    }
    with pytest.raises(InputError, match="query_id must be 0, 1, 2"):
        Match().process(Task(0, sources))


def test_an_unknown_semantics_is_refused() -> None:
    with pytest.raises(ValidationError, match="'witbuild', 'exact-case' or 'metaclip'"):
        Match.model_validate({"semantics": "fuzzy"})
