"""Tars at rest: a writer that gives the same bytes for the same members, and an index of where members lie.

    tar     = member* end                  end: two zero blocks, then zeros up to a record of 10,240 bytes
    member  = header (512 bytes) + content + zeros up to a whole block of 512 bytes
    sample  = members beside each other whose names agree up to the first dot: key.jpg key.json key.txt

The writer knows nothing but plain files in the USTAR format (POSIX.1-1988): mode 0644, owner 0, time 0.
The index also reads what other writers use: GNU long names, pax headers, sizes in base 256; it passes over
folders and links.
"""

from __future__ import annotations

import mmap
import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, Self

from witbuild.errors import InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BLOCK = 512
RECORD = 20 * BLOCK
LARGEST = 8**11 - 1
"""Bytes of the largest member that a USTAR header can tell of: 8 GiB - 1."""

_OWNER = b"0000644\0" + b"0000000\0" * 2
_TIME = b"\0" + b"0" * 11 + b"\0"
_REST = b"\0 0" + bytes(100) + b"ustar\x0000" + bytes(247)
_CHECKSUM = sum(_OWNER) + sum(_TIME) + sum(_REST[2:]) + 8 * ord(" ")
"""Of a header without its name and its size; the checksum's own field counts as eight spaces."""

_REGULAR = (b"0", b"\0", b"7")
_ZEROS = bytes(BLOCK)
_NAME_LIMIT = 1 << 16
"""Bytes of the longest name or pax header that is believed: more is a hostile file."""


class Extent(NamedTuple):
    """Where a member's content lies in its tar: bytes from the start of the file, and how many."""

    offset: int
    size: int


class Member(NamedTuple):
    """A plain file in a tar."""

    name: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Sample:
    """Members beside each other with one key; extension, without the first dot -> where its content lies."""

    key: str
    members: Mapping[str, Extent]


def padded(size: int) -> int:
    """Return the bytes that a member takes in a tar, header and padding included.

    Example:
        >>> padded(0), padded(1), padded(512), padded(513)
        (512, 1024, 1024, 1536)
    """
    return BLOCK + -(-size // BLOCK) * BLOCK


def total(padded_bytes: int) -> int:
    """Return the bytes of a whole tar whose members take so many, its end included.

    Example:
        >>> total(0), total(9216), total(9217)
        (10240, 10240, 20480)
    """
    return -(-(padded_bytes + 2 * BLOCK) // RECORD) * RECORD


def payload(size: int) -> int:
    """Return what members may take in a tar of at most so many bytes: the inverse of `total`.

    Example:
        >>> payload(20480), total(payload(20480)), total(payload(20480) + 1)
        (19456, 20480, 30720)
    """
    return size // RECORD * RECORD - 2 * BLOCK


def header(name: str, size: int) -> bytes:
    """Return the 512 bytes before a plain file's content.

    Args:
        name: at most 100 bytes of ASCII.
        size: of the content, at most 8 GiB - 1.

    Example:
        >>> block = header("0a.jpg", 3)
        >>> block[:6], block[124:135], len(block)
        (b'0a.jpg', b'00000000003', 512)
    """
    encoded = name.encode("ascii")
    if not 0 < len(encoded) <= 100 or not 0 <= size <= LARGEST:
        raise ValueError(f"{name!r} of {size} bytes does not fit a USTAR header")
    digits = b"%011o" % size
    checksum = _CHECKSUM + sum(encoded) + sum(digits)
    return b"%b%b%b%b%06o%b" % (encoded.ljust(100, b"\0"), _OWNER, digits, _TIME, checksum, _REST)


class Sink(Protocol):
    """Where bytes go: a binary file, or anything else with its `write`."""

    def write(self, content: bytes, /) -> object:
        """Take all of them."""


class TarWriter:
    """Writes plain files into a stream, front to back.

    Example:
        >>> import io
        >>> stream = io.BytesIO()
        >>> with TarWriter(stream) as tar:
        ...     tar.add("0a.jpg", b"one"), tar.add("0a.txt", b"two")
        (512, 1536)
        >>> stream.getvalue()[512:515], len(stream.getvalue())
        (b'one', 10240)
    """

    def __init__(self, stream: Sink) -> None:
        self.position = 0
        self._stream = stream

    def add(self, name: str, content: bytes) -> int:
        """Append a file and return the offset of its content."""
        offset = self.position + BLOCK
        self._stream.write(header(name, len(content)))
        self._stream.write(content)
        self._stream.write(_ZEROS[: -len(content) % BLOCK])
        self.position += padded(len(content))
        return offset

    def close(self) -> None:
        """Write the end of the archive; the stream stays open."""
        self._stream.write(bytes(total(self.position) - self.position))
        self.position = total(self.position)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()


def index(path: str) -> list[Sample]:
    """Return the samples of a tar, in its order, without reading their content.

    Raises:
        InputError: the file is missing, cut short or no tar, or a sample holds an extension twice.
    """
    samples: list[tuple[str, dict[str, Extent]]] = []
    for name, extent in members(path):
        key, extension = split(name)
        if not samples or samples[-1][0] != key:
            samples.append((key, {}))
        if extension in samples[-1][1]:
            raise InputError(f"{path}: sample {key!r} has two members .{extension}; the tar was not written as samples")
        samples[-1][1][extension] = extent
    return [Sample(*sample) for sample in samples]


def split(name: str) -> tuple[str, str]:
    """Cut a member's name at the first dot of its last component, as WebDataset does.

    Example:
        >>> split("a.b/0a.seg.png"), split("readme")
        (('a.b/0a', 'seg.png'), ('readme', ''))
    """
    folder, slash, base = name.rpartition("/")
    key, _, extension = base.partition(".")
    return folder + slash + key, extension


def members(path: str) -> Iterator[Member]:
    """Yield the plain files of a tar, in its order, without reading their content.

    Raises:
        InputError: the file is missing, cut short or no tar; names the byte where that was found.
    """
    with _mapped(path) as stream:
        yield from _Walk(stream, path, store.size(path))


def read(path: str, extent: Extent) -> bytes:
    """Return the content of a member."""
    return read_many(path, [extent])[0]


def read_many(path: str, extents: Sequence[Extent]) -> list[bytes]:
    """Return the content of some members, at once on an object store; front to back is quickest on a disk.

    Raises:
        InputError: the file is missing or ends inside one of them.
    """
    if store.is_remote(path):
        contents = _ranges([path] * len(extents), extents) if extents else []
    else:
        with store.open_read(path) as stream:
            contents = [os.pread(stream.fileno(), extent.size, extent.offset) for extent in extents]
    for extent, content in zip(extents, contents, strict=True):
        _check_whole(path, extent, len(content))
    return contents


def read_into(paths: Sequence[str], extents: Sequence[Extent], targets: Sequence[memoryview]) -> None:
    """Read the content of some members of several files, one of each behind each other, into memory of their sizes.

    An object store is asked for all of them at once; a disk is told of those of a file before the first is waited for.

    Args:
        paths: n, of local files or of one object store.
        extents: n.
        targets: n, as long as the members.

    Raises:
        InputError: a file is missing or ends inside one of them.
    """
    if paths and store.is_remote(paths[0]):
        for path, extent, target, content in zip(paths, extents, targets, _ranges(paths, extents), strict=True):
            _check_whole(path, extent, len(content))
            target[:] = content
        return
    for path, rows in groupby(range(len(paths)), paths.__getitem__):
        _read_local(path, [(extents[row], targets[row]) for row in rows])


def _read_local(path: str, wanted: Sequence[tuple[Extent, memoryview]]) -> None:
    with store.open_read(path) as stream:
        for extent, _ in wanted if hasattr(os, "posix_fadvise") else ():
            os.posix_fadvise(stream.fileno(), extent.offset, extent.size, os.POSIX_FADV_WILLNEED)
        for extent, target in wanted:
            _check_whole(path, extent, os.preadv(stream.fileno(), [target], extent.offset))


def _ranges(paths: Sequence[str], extents: Sequence[Extent]) -> list[bytes]:
    starts = [extent.offset for extent in extents]
    ends = [extent.offset + extent.size for extent in extents]
    found: list[bytes] = store.remote(paths[0]).cat_ranges([*paths], starts, ends, on_error="raise")
    return found


def _check_whole(path: str, extent: Extent, read: int) -> None:
    if read != extent.size:
        raise InputError(f"{path}: ends at byte {extent.offset + read}, inside a member; it was cut short")


@contextmanager
def _mapped(path: str) -> Iterator[IO[bytes] | mmap.mmap]:
    """Open a tar so that skipping from header to header costs no copy."""
    with store.open_read(path) as stream:
        if store.is_remote(path) or Path(path).stat().st_size == 0:
            yield stream
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


class _Walk:
    """Goes from header to header; a header of a long name or of pax fields speaks for the one after it."""

    def __init__(self, stream: IO[bytes] | mmap.mmap, path: str, size: int) -> None:
        self._stream = stream
        self._path = path
        self._size = size

    def __iter__(self) -> Iterator[Member]:
        position = 0
        known: dict[str, str] = {}
        while (block := self._read(position, BLOCK)) != _ZEROS:
            kind = self._checked(block, position)
            size = int(known["size"]) if "size" in known else self._number(block[124:136], position)
            offset, position = position + BLOCK, position + padded(size)
            if position > self._size:
                raise self._error(offset, f"a member of {size} bytes begins and the file has {self._size}: cut short")
            if kind in (b"L", b"x"):
                known |= self._extension(kind, offset, size)
            elif kind != b"g":
                if kind in _REGULAR:
                    yield Member(known.get("path") or self._name(block, offset), Extent(offset, size))
                known = {}

    def _read(self, position: int, size: int) -> bytes:
        self._stream.seek(position)
        content = self._stream.read(size)
        if len(content) < size:
            raise self._error(position, "the archive's end mark is missing: cut short")
        return content

    def _checked(self, block: bytes, position: int) -> bytes:
        """Return the kind of a header whose checksum holds."""
        expected = sum(block) - sum(block[148:156]) + 8 * 32
        if self._number(block[148:156], position) != expected:
            raise self._error(position, "no tar header: the checksum does not hold")
        return block[156:157]

    def _number(self, field: bytes, position: int) -> int:
        """Read an octal number, or one in base 256 when the first bit is set (GNU)."""
        if field[0] == 0x80:
            return int.from_bytes(field[1:])
        digits = field.strip(b"\0 ")
        if digits.strip(b"01234567"):
            raise self._error(position, f"no tar header: {digits!r} is no octal number")
        return int(digits or b"0", 8)

    def _name(self, block: bytes, position: int) -> str:
        name, prefix = block[:100].rstrip(b"\0"), block[345:500].rstrip(b"\0")
        whole = prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name
        return self._text(whole, position)

    def _text(self, encoded: bytes, position: int) -> str:
        try:
            return encoded.decode()
        except UnicodeDecodeError as error:
            raise self._error(position, f"the name {encoded!r} is not UTF-8") from error

    def _extension(self, kind: bytes, offset: int, size: int) -> dict[str, str]:
        """Read what a GNU long name or a pax header says of the next member: its path, its size."""
        if size > _NAME_LIMIT:
            raise self._error(offset, f"a header of {size} bytes, more than {_NAME_LIMIT}")
        content = self._read(offset, size)
        if kind == b"L":
            return {"path": self._text(content.rstrip(b"\0"), offset)}
        fields = dict(self._records(content, offset))
        if not fields.get("size", "0").isdecimal():
            raise self._error(offset, f"a pax size of {fields['size']!r}")
        return {name: value for name, value in fields.items() if name in ("path", "size")}

    def _records(self, content: bytes, offset: int) -> Iterator[tuple[str, str]]:
        """Yield the fields of a pax header: `length name=value newline`, length counting the whole record."""
        while content:
            digits, _, _ = content.partition(b" ")
            length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
            record, content = content[len(digits) + 1 : length - 1], content[length:]
            name, equals, value = record.partition(b"=")
            if length <= len(digits) + 1 or not equals:
                raise self._error(offset, "a pax header that cannot be read")
            if name in (b"path", b"size"):
                yield name.decode(), self._text(value, offset)

    def _error(self, position: int, found: str) -> InputError:
        return InputError(f"{self._path}: byte {position}: {found}")
