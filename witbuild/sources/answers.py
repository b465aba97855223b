"""What an API has answered so far, on disk, so that the attempt after a kill does not ask it again.

length, zlib(URL NUL body)    one answer after the other; what a kill cut off is cut away
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_LENGTH = struct.Struct(">I")
MAX_BYTES = 64_000_000
"""Of an answer, unpacked."""


class Answers:
    """Answers by URL; a context manager around the writing.

    Args:
        path: of the file; None: nothing is kept.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "answers"
        >>> with Answers(path) as answers:
        ...     answers.keep("http://a.test/?q=1", b"{}")
        >>> with Answers(path) as answers:
        ...     answers.get("http://a.test/?q=1"), answers.get("http://a.test/?q=2")
        (b'{}', None)
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
            self._recover()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path:
            self._file.close()

    def _recover(self) -> None:
        """Find what is whole, and cut off what is not."""
        whole, end = 0, self._file.seek(0, os.SEEK_END)
        while whole + _LENGTH.size <= end:
            (length,) = _LENGTH.unpack(os.pread(self._file.fileno(), _LENGTH.size, whole))
            found = self._unpacked(whole + _LENGTH.size, length)
            if found is None:
                break
            self._places[found[0]] = (whole + _LENGTH.size, length)
            whole += _LENGTH.size + length
        self._file.truncate(whole)

    def _unpacked(self, start: int, length: int) -> tuple[str, bytes] | None:
        """Return URL and body; None when they are not whole."""
        unpacker = zlib.decompressobj()
        try:
            content = unpacker.decompress(os.pread(self._file.fileno(), length, start), MAX_BYTES)
        except zlib.error:
            return None
        url, separator, body = content.partition(b"\0")
        return (url.decode("utf-8", "replace"), body) if unpacker.eof and separator else None

    def get(self, url: str) -> bytes | None:
        """Return the answer of a URL, or None when it was not asked for."""
        place = self._places.get(url)
        found = self._unpacked(*place) if place else None
        return found[1] if found else None

    def keep(self, url: str, body: bytes) -> None:
        """Keep an answer."""
        if self._path:
            packed = zlib.compress(url.encode() + b"\0" + body)
            start = self._file.seek(0, os.SEEK_END)
            self._file.write(_LENGTH.pack(len(packed)) + packed)
            self._file.flush()
            self._places[url] = (start + _LENGTH.size, len(packed))
