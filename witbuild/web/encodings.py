"""Content-Encoding, undone with a bound: a bomb ends where the limit is, whatever it would unfold to."""

from __future__ import annotations

import zlib

from witbuild.web.reasons import FetchError

ACCEPTED = "gzip, deflate"
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_GZIP_START = b"\x1f\x8b\x08"
MAX_MEMBERS = 10_000
"""Of a gzip body: 64 MB in members of 8 KiB have fewer."""
_PIECE_BYTES = 1 << 16
"""What is unfolded at a time: what is given beyond a member's end is copied."""


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body as it was before its Content-Encoding.

    Args:
        body: as sent.
        encoding: value of the header; empty or `identity` when there is none.
        limit: most bytes of the result.

    Raises:
        FetchError: bad_encoding, or too_large.

    Example:
        >>> decode(zlib.compress(b"text"), "deflate", 10)
        b'text'
    """
    name = encoding.strip().lower()
    if name in ("", "identity", "none"):
        return body
    if name == "br":
        return _brotli(body, limit)
    if name not in _WINDOWS:
        raise FetchError("bad_encoding", f"Content-Encoding {name[:40]!r} is not one of {ACCEPTED}, br")
    try:
        return _inflate(body, _WINDOWS[name], limit)
    except zlib.error as error:
        if name != "deflate":
            raise FetchError("bad_encoding", str(error)) from None
    try:  # servers send deflate with and without zlib's header (RFC 9110, section 8.4.1.2, note)
        return _inflate(body, -15, limit)
    except zlib.error as error:
        raise FetchError("bad_encoding", str(error)) from None


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Unfold all members of a gzip body (RFC 1952, section 2.2), or the one stream of another.

    Bytes behind the end that begin no member are passed over, as gzip does.
    """
    out, place, view = bytearray(), 0, memoryview(body)
    for _ in range(MAX_MEMBERS):
        machine = zlib.decompressobj(window)
        while not machine.eof and place < len(view) and len(out) <= limit:
            piece = view[place : place + _PIECE_BYTES]
            out += machine.decompress(piece, limit + 1 - len(out))
            place += len(piece) - len(machine.unused_data)
        _check(len(out), limit, whole=machine.eof)
        if window != _WINDOWS["gzip"] or view[place : place + 3] != _GZIP_START:
            return bytes(out)
    raise FetchError("bad_encoding", f"more than {MAX_MEMBERS:,} gzip members")


def _brotli(body: bytes, limit: int) -> bytes:
    import brotli

    machine = brotli.Decompressor()
    out = bytearray()
    try:
        out += machine.process(body, output_buffer_limit=limit + 1)
        while (
            not machine.is_finished()
            and len(out) <= limit
            and (more := machine.process(b"", output_buffer_limit=limit + 1))
        ):
            out += more
    except brotli.error as error:
        raise FetchError("bad_encoding", str(error)) from None
    _check(len(out), limit, whole=machine.is_finished())
    return bytes(out)


def _check(size: int, limit: int, *, whole: bool) -> None:
    if size > limit:
        raise FetchError("too_large", f"more than {limit} bytes after decompression")
    if not whole:
        raise FetchError("bad_encoding", "the compressed body ends early")
