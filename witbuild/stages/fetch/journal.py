"""What a task has done so far, on disk, so that the attempt after a kill does not do it again.

    scratch/journal.jsonl   one outcome a line, appended after ...
    scratch/spool           ... the image's bytes, at the place that the outcome names

A kill can cut the last line or leave bytes that no line names; both are passed over. An image whose bytes are not those
of its hash is fetched again.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import orjson

from witbuild.web.slots import HOST_FAILURES

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

AGAIN = HOST_FAILURES | {"host_gave_up", "robots_unavailable"}
"""Failures that another attempt may not meet: they are not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A stored image: the columns of schema.PAIRS of the same names, and where its bytes lie in the spool."""

    image_format: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_bytes: int
    original_format: str
    original_sha256: str
    original_md5: str
    pixel_sha256: str
    phash: int
    spool_offset: int = -1
    spool_bytes: int = 0
    spool_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a URL: the columns of schema.FETCHES and VISITS of the same names, the image when there is one."""

    url: str
    status: str
    http_status: int | None = None
    final_url: str | None = None
    detail: str | None = None
    mime: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    licence: str | None = None
    signals: str | None = None
    started: float | None = None
    seconds: float = 0.0
    image: Image | None = None


class Journal:
    """Outcomes by URL; a context manager around the writing.

    Args:
        folder: the task's scratch folder.

    Attributes:
        folder: as given.
        outcomes: URL -> outcome, those of earlier attempts included.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lines_path = folder / "journal.jsonl"
        self._spool_path = folder / "spool"
        self.outcomes: dict[str, Outcome] = {}

    def __enter__(self) -> Self:
        self._spool = self._spool_path.open("a+b", buffering=0)
        self._lines = self._lines_path.open("a+b")
        self._recover()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._spool.close()

    def _recover(self) -> None:
        """Take over what is whole of earlier attempts and cut off what is not."""
        self._lines.seek(0)
        whole = 0
        for line in self._lines:
            outcome = _parse(line)
            if outcome is None:
                break
            whole += len(line)
            if outcome.image is None or self._holds(outcome.image):
                self.outcomes[outcome.url] = outcome
        self._end = self._spool.seek(0, os.SEEK_END)
        self._lines.truncate(whole)
        self._lines.seek(0, os.SEEK_END)

    def _holds(self, image: Image) -> bool:
        return hashlib.sha256(self.read(image)).hexdigest() == image.spool_sha256

    def read(self, image: Image) -> bytes:
        """Return the bytes of a stored image."""
        return os.pread(self._spool.fileno(), image.spool_bytes, image.spool_offset)

    def add(self, outcome: Outcome, content: bytes = b"") -> None:
        """Keep an outcome, and its image's bytes before it."""
        if outcome.image is not None:
            outcome = replace(outcome, image=self._append(outcome.image, content))
        self.outcomes[outcome.url] = outcome
        if outcome.status not in AGAIN:
            self._lines.write(_line(outcome))
            self._lines.flush()

    def _append(self, image: Image, content: bytes) -> Image:
        offset, rest = self._end, memoryview(content)
        while rest:
            rest = rest[os.write(self._spool.fileno(), rest) :]
        self._end += len(content)
        digest = hashlib.sha256(content).hexdigest()
        return replace(image, spool_offset=offset, spool_bytes=len(content), spool_sha256=digest)


def _line(outcome: Outcome) -> bytes:
    """Return the line of an outcome; `asdict` would copy every value, which costs as much as a request."""
    values = {name: getattr(outcome, name) for name in Outcome.__slots__}
    if outcome.image is not None:
        values["image"] = {name: getattr(outcome.image, name) for name in Image.__slots__}
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _parse(line: bytes) -> Outcome | None:
    """Return the outcome of a line; None when it was cut."""
    if not line.endswith(b"\n"):
        return None
    try:
        values = orjson.loads(line)
        image = Image(**values["image"]) if values["image"] else None
        return Outcome(**{**values, "image": image})
    except (ValueError, TypeError, KeyError):
        return None
