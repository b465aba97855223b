"""Streams that keep their own position, whatever gives their bytes."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 1 << 20


class Positioned(io.RawIOBase):
    """A seekable stream of a known size; `_block` gives the bytes at a position."""

    def __init__(self, size: int) -> None:
        self._size, self._position = size, 0

    @abstractmethod
    def _block(self, position: int, size: int) -> bytes:
        """Return at most so many bytes from a position on, none at the end alone."""

    def buffered(self) -> IO[bytes]:
        """Return it as a stream that is read a megabyte at a time."""
        return cast("IO[bytes]", io.BufferedReader(self, _BUFFER_BYTES))

    def readable(self) -> bool:
        """Say that it is read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read anywhere."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position; return it."""
        self._position = max(0, offset + (0, self._position, self._size)[whence])
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill as much of a buffer as there is; return how much."""
        view = memoryview(buffer)
        block = self._block(self._position, len(view))
        view[: len(block)] = block
        self._position += len(block)
        return len(block)
