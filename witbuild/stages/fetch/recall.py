"""What an earlier run's download of the same slice found out, put into a task's journal: nothing is asked twice."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from witbuild.io import tables, tars
from witbuild.stages.fetch import quarantine
from witbuild.stages.fetch.journal import Image, Outcome
from witbuild.web.urls import without_fragment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stages.fetch.journal import Journal

_AT_ONCE = 256
"""Images held at a time."""
NOT_OF_THE_URL = frozenset({"opt_out_page", "blocked_host", "domain_cap", "hash_mismatch"})
"""Drops of a pair that say nothing about what its URL answers."""
_SAID = ("status", "http_status", "final_url", "detail", "mime", "etag", "last_modified", "licence", "signals")
_SEEN = (
    "image_format", "width", "height", "original_width", "original_height", "original_bytes", "original_format",
    "original_sha256", "pixel_sha256", "phash",
)  # fmt: skip


def recall(journal: Journal, pairs: str, fetches: str, images: str, *, hashes_needed: bool) -> None:
    """Put outcomes and images of an earlier part into a journal, those that it has not got.

    Args:
        journal: of the task.
        pairs: path of the part's table.
        fetches: path of its outcomes, a row a pair that came in; those with status ok are the pairs, in their order.
        images: path of its images.
        hashes_needed: an image is judged by hashes that lists carry; then one whose own are not known is fetched anew.
    """
    found = told(pairs, fetches)
    wanted = (one for one in found if not (hashes_needed and one[1] and not _known(one[1])))
    new = _new(journal, wanted)
    while some := list(islice(new, _AT_ONCE)):
        kept = [row for _, row in some if row is not None]
        contents = iter(tars.read_many(images, [tars.Extent(row["image_offset"], row["image_bytes"]) for row in kept]))
        for outcome, row in some:
            journal.add(outcome, next(contents) if row is not None else b"")


Told = tuple[Outcome, "dict[str, Any] | None"]
"""What a part says of a URL, and the pair's row where its image was stored."""


def told(pairs: str, fetches: str) -> Iterator[Told]:
    """Yield what a part says of each pair that came in, in the order of its rows."""
    rows = iter(tables.read(pairs).to_pylist())
    for said in tables.read(fetches).to_pylist():
        row = next(rows) if said["status"] == "ok" else None
        row = row if row and row["image_part"] is not None else None
        yield _outcome(said, row), row


def _known(row: dict[str, Any]) -> bool:
    return bool(row["expected_sha256"] or row["expected_md5"])


def _new(journal: Journal, found: Iterator[Told]) -> Iterator[Told]:
    """Yield the first of each URL that the journal does not have."""
    seen = set(journal.outcomes)
    for outcome, row in found:
        if outcome.url not in seen and outcome.status not in NOT_OF_THE_URL | quarantine.REASONS:
            seen.add(outcome.url)
            yield outcome, row


def _outcome(said: dict[str, Any], row: dict[str, Any] | None) -> Outcome:
    image = None
    if row is not None:
        image = Image(**{name: row[name] for name in _SEEN}, original_md5=row["expected_md5"] or "")
    return Outcome(url=without_fragment(said["url"]), image=image, **{name: said[name] for name in _SAID})
