"""Bytes by the compiled loop: what `isascii` and `decode` say, and the text that a page's encoding gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.web import charset, octets

PIECES = [
    b"a" * 40,
    b"a",
    "é".encode(),
    "日".encode(),
    "😀".encode(),
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xe0\xa0\x80",
]
PIECES += [
    b"\xed\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x90\x80\x80",
    b"\xf4\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
]
PIECES += [
    b"\xf5\x80\x80\x80",
    b"\x80",
    b"\xe2\x82",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"<meta charset=iso-2022-jp>",
]
PIECES += [b"<meta charset=windows-1251>", b"<meta charset=utf-8>", b"\x1b$B", b"\0"]
bodies = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=6).map(b"".join)
TYPES = st.sampled_from(["", "text/html; charset=shift_jis", "text/html; charset=utf-8", "text/html; charset=utf-16"])


def kind(body: bytes) -> int:
    try:
        body.decode()
    except UnicodeDecodeError:
        return octets.OTHER
    return octets.ASCII if body.isascii() else octets.UTF8


@settings(max_examples=500)
@given(bodies)
def test_any_bytes_are_what_python_says(body: bytes) -> None:
    assert octets.kind_of(np.frombuffer(body, np.uint8)) == kind(body)


@settings(max_examples=500)
@given(bodies, TYPES)
def test_any_page_is_read_in_the_encoding_that_python_finds(body: bytes, content_type: str) -> None:
    assert octets.in_utf8(memoryview(body), content_type) == charset.utf8(body, content_type)


@pytest.mark.parametrize("body", [b"", b"<p>", "é".encode() * 100, b"x" * 1_000])
def test_what_is_utf8_is_not_copied(body: bytes) -> None:
    assert octets.in_utf8(body) is body
