"""Content-Encoding, undone with a bound: a bomb ends where the limit is, whatever it would unfold to."""

from __future__ import annotations

import zlib

from witbuild.web.reasons import FetchError

ACCEPTED = "gzip, deflate"
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


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
    machine = zlib.decompressobj(window)
    out = machine.decompress(body, limit + 1)
    _check(len(out), limit, whole=machine.eof)
    return out


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
