"""Pairs in parts for the stages with a global step, and what a run of them keeps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from witbuild.engine.local import LocalEngine
from witbuild.io import tables
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.schema import PAIRS, QUERIES
from witbuild.text.keys import pair_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from witbuild.io.run import Run
    from witbuild.stage import Stage

Row = dict[str, Any]


def pair(url: str, caption: str, **more: Any) -> Row:
    """Return a row of pairs."""
    row = {"key": pair_key(url, caption), "url": url, "caption": caption, "caption_source": "alt", "source": "site"}
    return {**row, **more}


def save_pairs(folder: Path, parts: Sequence[Sequence[Row]]) -> str:
    folder.mkdir(parents=True)
    for index, part in enumerate(parts):
        tables.write(folder / f"{index:05d}.parquet", tables.from_rows(part, PAIRS), dropped={})
    return str(folder)


def save_queries(folder: Path, queries: Sequence[str]) -> str:
    folder.mkdir(parents=True)
    rows = [{"query_id": i, "query": query, "source": "list", "rank": i} for i, query in enumerate(queries)]
    tables.write(folder / "00000.parquet", tables.from_rows(rows, QUERIES), dropped={})
    return str(folder)


def deal(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Deal rows into parts, like cards."""
    return [list(rows[index::count]) for index in range(count)]


def play(
    folder: Path,
    stage: Stage,
    parts: Sequence[Sequence[Row]],
    *,
    workers: int = 1,
    queries: Sequence[str] = (),
    against: str = "",
) -> Run:
    """Run one stage over parts of pairs."""
    inputs = {"pairs": save_pairs(folder / "in" / "pairs", parts)}
    if against:
        inputs["against"] = against
    if queries:
        inputs["queries"] = save_queries(folder / "in" / "queries", queries)
    with LocalEngine(workers=workers) as engine:
        return run_recipe(Recipe(stages=(stage,), inputs=inputs), str(folder / "run"), engine)


def table(run: Run, kind: str) -> pa.Table:
    """Return the newest table of a kind, whole."""
    _, manifest = run.newest(kind)
    return tables.read_all(run.paths(manifest, kind))


def kept(run: Run) -> list[str]:
    """Return the keys of the pairs that stayed, sorted."""
    keys: list[str] = table(run, "pairs")["key"].to_pylist()
    return sorted(keys)


def dropped(run: Run) -> Counter[str]:
    """Return reason -> rows of the last stage that wrote pairs."""
    return Counter(run.newest("pairs")[1].dropped)
