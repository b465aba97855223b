"""A query list for sources that ask queries."""

from __future__ import annotations

from pathlib import Path

from witbuild.io import tables
from witbuild.schema import QUERIES


def listed(folder: Path, *queries: str) -> str:
    """Write a query list and return its path."""
    rows = [
        {"query_id": number, "query": query, "source": "list", "rank": number} for number, query in enumerate(queries)
    ]
    path = folder / "queries.parquet"
    tables.write(path, tables.from_rows(rows, QUERIES), dropped={})
    return str(path)
