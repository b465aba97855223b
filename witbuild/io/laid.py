"""Samples laid out in memory as they will stand in a tar, many at a time: what `tars.TarWriter` does one by one.

window = sample*                      whole samples that follow each other in the tar, no more than fit
sample = member*                      in the order of their names
member = header (512 bytes) + content + zeros up to a whole block of 512 bytes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.io.tars import BLOCK, LARGEST, header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

_ZERO = ord("0")
_TEMPLATE = np.frombuffer(header("x", 0), np.uint8)
_CHECKSUM = int(_TEMPLATE[148:154].tobytes(), 8) - ord("x") - 11 * _ZERO
"""Of a header without its name and the digits of its size."""


class Layout:
    """Where the members of samples lie in one tar, counted from its start.

    Example:
        >>> layout = Layout(["0a", "0b"], {"txt": np.array([3, 600]), "jpg": np.array([0, 1])})
        >>> layout.extensions, layout.starts.tolist()
        (('jpg', 'txt'), [0, 1536, 4096])
        >>> list(layout.cut(2048, rows=9)), layout.slots(range(1, 2), "txt")
        ([range(0, 1), range(1, 2)], [(1536, 2136)])
    """

    extensions: tuple[str, ...]
    """Of the m members of every sample, sorted."""
    starts: Numbers
    """(n + 1,) Where the samples begin, and where the last one ends."""

    def __init__(self, keys: Sequence[str], sizes: Mapping[str, Numbers]) -> None:
        """Lay samples behind each other, given the byte length of each one's members by extension."""
        self.extensions = tuple(sorted(sizes))
        self._keys = np.array(keys, np.bytes_)
        self._sizes = np.stack([sizes[name].astype(np.int64) for name in self.extensions], axis=1)
        self._blocks = -(-self._sizes // BLOCK)
        ends = np.cumsum((1 + self._blocks) * BLOCK).reshape(self._sizes.shape)
        self._contents = ends - self._blocks * BLOCK
        self.starts = np.concatenate([np.zeros(1, np.int64), ends[:, -1]])

    def cut(self, size: int, rows: int) -> Iterator[range]:
        """Yield windows of at most so many bytes and samples; a larger sample has one of its own."""
        start, samples, longest = 0, len(self._keys), min(size, int(self.starts[-1]))
        while start < samples:
            fits = int(np.searchsorted(self.starts, self.starts[start] + longest, "right")) - 1
            stop = min(max(fits, start + 1), start + rows)
            yield range(start, min(stop, samples))
            start = stop

    def bounds(self, rows: range) -> list[int]:
        """Return where in their window the samples begin, and where the last one ends."""
        found: list[int] = (self.starts[rows.start : rows.stop + 1] - self.starts[rows.start]).tolist()
        return found

    def slots(self, rows: range, extension: str) -> list[tuple[int, int]]:
        """Return where in their window the contents of some members begin and end."""
        member = self.extensions.index(extension)
        begin = self._contents[rows.start : rows.stop, member] - self.starts[rows.start]
        return list(zip(begin.tolist(), (begin + self._sizes[rows.start : rows.stop, member]).tolist(), strict=True))

    def frame(self, rows: range, window: Bytes) -> None:
        """Write all of a window but the contents: headers, and the zeros behind what fills no whole block."""
        blocks, some = window.reshape(-1, BLOCK), slice(rows.start, rows.stop)
        first = (self._contents[some] - self.starts[rows.start]) // BLOCK
        blocks[(first - 1 + self._blocks[some]).ravel()] = 0
        for member, extension in enumerate(self.extensions):
            names = np.char.add(self._keys[some], f".{extension}".encode())
            blocks[first[:, member] - 1] = headers(names, self._sizes[some, member])


def headers(names: npt.NDArray[np.bytes_], sizes: Numbers) -> Bytes:
    """Return the blocks before plain files' contents, (n, 512): `tars.header` of each name and size.

    Args:
        names: (n,) each at most 100 bytes of ASCII.
        sizes: (n,) of the contents, each at most 8 GiB - 1.

    Example:
        >>> bytes(headers(np.array([b"0a.jpg"]), np.array([3]))[0]) == header("0a.jpg", 3)
        True
    """
    width = names.dtype.itemsize
    if width > 100 or not names.all() or np.any((sizes < 0) | (sizes > LARGEST)):
        raise ValueError("a name or a size that does not fit a USTAR header")
    out = np.tile(_TEMPLATE, (len(names), 1))
    out[:, :width] = np.ascontiguousarray(names).view(np.uint8).reshape(len(names), width)
    out[:, 124:135] = _octal(sizes, 11)
    checksums = _CHECKSUM + out[:, :width].sum(axis=1, dtype=np.int64) + out[:, 124:135].sum(axis=1, dtype=np.int64)
    out[:, 148:154] = _octal(checksums, 6)
    return out


def _octal(numbers: Numbers, digits: int) -> Bytes:
    shifts = np.arange(3 * (digits - 1), -1, -3)
    return ((numbers[:, None] >> shifts & 7) + _ZERO).astype(np.uint8)
