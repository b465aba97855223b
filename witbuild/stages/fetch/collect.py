"""Journal -> tar and tables, in the order of keys, whatever order the network gave."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.io import tables
from witbuild.io.tars import TarWriter
from witbuild.schema import FETCHES, VISITS
from witbuild.web import urls
from witbuild.web.addresses import Guard

if TYPE_CHECKING:
    from pathlib import Path

    from witbuild.stages.fetch.journal import Image, Journal, Outcome
    from witbuild.stages.fetch.parameters import Fetching

_ORDER = ("key", "page_url", "source_file", "source_offset", "caption_source")
WANTED = ("url", "opt_out", "expected_sha256", "expected_md5")
_MD5_DIGITS = 32
_FROM_IMAGE = (
    "image_format", "width", "height", "original_width", "original_height", "original_bytes", "original_format",
    "original_sha256", "pixel_sha256", "phash",
)  # fmt: skip


class Rows:
    """The pairs of a task, in the order of their keys, and why some are not even asked for.

    Args:
        table: of schema.PAIRS, in any order.
        stage: whose parameters refuse pairs.

    Attributes:
        table: sorted.
        urls: of each row, what is asked of the server.
        refused: of each row, the reason of a refusal before any request, or None.
    """

    def __init__(self, table: pa.Table, stage: Fetching) -> None:
        self.table = tables.sort(table, *_ORDER)
        self.stage = stage
        rows = self.table.select(WANTED).to_pylist()
        self.urls: list[str] = [urls.without_fragment(row["url"]) for row in rows]
        self.refused = refusals(rows, stage)
        self._blocked = stage.blocked_hashes()
        self._hashes = [(row["expected_sha256"], row["expected_md5"]) for row in rows]

    def wanted(self) -> list[str]:
        """Return the URLs to ask for, each once."""
        return list(dict.fromkeys(url for url, no in zip(self.urls, self.refused, strict=True) if no is None))

    def told_by_md5(self) -> frozenset[str]:
        """Return the URLs of which the MD5 of a body must be known: it is to be held against a list."""
        if any(len(one) == _MD5_DIGITS for one in self._blocked):
            return frozenset(self.urls)
        carried = (url for url, (_, md5) in zip(self.urls, self._hashes, strict=True) if md5)
        return frozenset(carried) if self.stage.require_hash else frozenset()

    def statuses(self, outcomes: dict[str, Outcome]) -> list[str]:
        """Return `ok` or the reason of the drop for each row."""
        return [
            no or self._status(outcomes[url], *hashes)
            for url, no, hashes in zip(self.urls, self.refused, self._hashes, strict=True)
        ]

    def _status(self, outcome: Outcome, sha256: str | None, md5: str | None) -> str:
        image = outcome.image
        if image is not None and not self._blocked.isdisjoint((image.original_sha256, image.original_md5)):
            return "blocked_hash"
        if image is None or not self.stage.require_hash:
            return outcome.status
        agree = sha256 in (None, image.original_sha256) and md5 in (None, image.original_md5)
        return outcome.status if agree else "hash_mismatch"


def refusals(rows: list[dict[str, Any]], stage: Fetching, room: Room | None = None) -> list[str | None]:
    """Return why each row is not even asked for, or None; rows are in the order in which a cap lets them in.

    Args:
        rows: with the columns WANTED.
        stage: whose parameters refuse rows.
        room: of domains, where these are not all rows; None: of the stage's own cap.
    """
    guard, room = Guard(block_hosts=stage.blocked_hosts()), room or Room(stage.max_per_domain)
    return [_refusal(row, stage, guard) or room.refusal(row["url"]) for row in rows]


def _refusal(row: dict[str, Any], stage: Fetching, guard: Guard) -> str | None:
    if stage.respect == "strict" and row["opt_out"]:
        return "opt_out_page"
    return "blocked_host" if guard.blocks(urls.host(row["url"])) else None


class Room:
    """Lets so many URLs of a registered domain in; a URL that is in stays in.

    Example:
        >>> room = Room(1)
        >>> [room.refusal(f"http://{host}.a.test/") for host in ("x", "y", "x")]
        [None, 'domain_cap', None]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, set[str]] = {}

    def refusal(self, url: str) -> str | None:
        """Return `domain_cap` when the domain is full."""
        if not self._most:
            return None
        taken, url = self._taken.setdefault(urls.registered_domain(url), set()), urls.without_fragment(url)
        if len(taken) < self._most:
            taken.add(url)
        return None if url in taken else "domain_cap"


def write_images(path: Path, rows: Rows, kept: list[bool], journal: Journal) -> dict[str, int]:
    """Write the tar of the images that kept rows name, each once, as `KEY.jpg` of its first row.

    Returns:
        URL -> offset of its image in the tar.
    """
    offsets: dict[str, int] = {}
    with path.open("wb") as stream, TarWriter(stream) as tar:
        for key, url, keep in zip(rows.table["key"].to_pylist(), rows.urls, kept, strict=True):
            image = journal.outcomes[url].image if keep and rows.stage.stores and url not in offsets else None
            if image is not None:
                offsets[url] = tar.add(f"{key}.{image.image_format}", journal.read(image))
    return offsets


def with_images(rows: Rows, kept: list[bool], journal: Journal, part: int, offsets: dict[str, int]) -> pa.Table:
    """Return the kept rows with the columns of their images."""
    table = rows.table.filter(pa.array(kept, pa.bool_()))
    if not rows.stage.stores:
        return table
    found = [url for url, keep in zip(rows.urls, kept, strict=True) if keep]
    images: list[Image] = [image for url in found if (image := journal.outcomes[url].image) is not None]
    columns: dict[str, list[Any]] = {name: [getattr(image, name) for image in images] for name in _FROM_IMAGE}
    columns["image_part"] = [part] * len(found)
    columns["image_offset"] = [offsets[url] for url in found]
    columns["image_bytes"] = [image.spool_bytes for image in images]
    for name, values in columns.items():
        field = table.schema.field(name)
        table = table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))
    return table


def write_fetches(path: Path, rows: Rows, statuses: list[str], journal: Journal) -> None:
    """Write a row for every pair that came in."""
    names = [name for name in FETCHES.names if name not in ("key", "url", "status")]
    found = [None if no else journal.outcomes[url] for url, no in zip(rows.urls, rows.refused, strict=True)]
    columns: dict[str, Any] = {"key": rows.table["key"], "url": rows.table["url"], "status": statuses}
    for name in names:
        values = [getattr(outcome, name) if outcome else None for outcome in found]
        columns[name] = pa.array(values, FETCHES.field(name).type)
    tables.write(path, tables.conform(pa.table(columns), FETCHES), dropped={})


def write_visits(path: Path, rows: Rows, journal: Journal) -> None:
    """Write when each URL was asked for, in the order of the URLs."""
    found = [journal.outcomes[url] for url in sorted(rows.wanted())]
    columns: dict[str, Any] = {name: [getattr(outcome, name) for outcome in found] for name in VISITS.names}
    milliseconds = [None if started is None else round(started * 1000) for started in columns["started"]]
    columns["started"] = pa.array(milliseconds, pa.timestamp("ms", "UTC"))
    tables.write(path, tables.conform(pa.table(columns, schema=VISITS), VISITS), dropped={})


def drops(statuses: list[str]) -> dict[str, int]:
    """Count the rows dropped by reason.

    Example:
        >>> drops(["ok", "http_404", "http_404"])
        {'http_404': 2}
    """
    return dict(Counter(status for status in statuses if status != "ok"))
