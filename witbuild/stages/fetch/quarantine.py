"""Bodies that broke their decoder, kept with the reason: what it is mended by.

scratch/quarantine/<sha256 of the URL>   from the moment a decoder breaks
quarantine/00000.parquet                 a table a task, in the order of the URLs (schema.QUARANTINE)
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.io import tables
from witbuild.schema import QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from witbuild.stages.fetch.journal import Outcome

REASONS = frozenset({"image_crash", "image_timeout", "image_memory"})
"""Reasons whose bodies are kept."""
MAX_BYTES = 100_000_000
"""Of bodies in a table; those beyond are told of without their bytes."""


def _place(folder: Path, url: str) -> Path:
    return folder / "quarantine" / hashlib.sha256(url.encode()).hexdigest()


def keep(folder: Path, url: str, body: bytes) -> None:
    """Keep a body below a task's scratch folder."""
    place = _place(folder, url)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)


def write(path: Path, folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the table of a task.

    Args:
        path: of the table.
        folder: the task's scratch folder.
        outcomes: of the task, each URL's once; those of other reasons are passed over.
    """
    rows: list[dict[str, Any]] = []
    held = 0
    for outcome in sorted((one for one in outcomes if one.status in REASONS), key=lambda one: one.url):
        place = _place(folder, outcome.url)
        body = place.read_bytes() if place.exists() else b""
        held += len(body)
        rows.append(
            {
                "url": outcome.url,
                "reason": outcome.status,
                "detail": outcome.detail,
                "body_sha256": hashlib.sha256(body).hexdigest(),
                "body": body if held <= MAX_BYTES else None,
            }
        )
    tables.write(path, tables.conform(pa.Table.from_pylist(rows, QUARANTINE), QUARANTINE), dropped={})
