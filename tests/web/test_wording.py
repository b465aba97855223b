"""Values of attributes by the compiled loop: what Python's `unescape`, `cleaned` and `strip` make of them."""

from __future__ import annotations

from html.entities import html5

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.text.kernels import kernel
from witbuild.web import wording
from witbuild.web.caption import cleaned
from witbuild.web.escapes import unescape
from witbuild.web.markup import pointer
from witbuild.web.scanned import plain

ODD = [
    "&", "&#", "&#x", "&#X", "=", ";", "a", "9", "f", "\r\n", "\0", "\x1c", "\x7f", "\x85", "\u00a0", "\u00ad",
    "\u200e", "\u2028", "\u2067", "\ufeff", "\ufdd0", "\ufffe", "\ufffd", "\U0010ffff", "128", "10FFFF", "  ", "é",
    "日", "😀", "&#xd800;", "&#65533", "&#00000000065;", "&#99999999999;", "\u3000", "\u202f",
]  # fmt: skip
PIECES = st.one_of(
    st.sampled_from(sorted(html5)).map("&".__add__),
    st.sampled_from(ODD),
    st.integers(0, 0x120000).map(lambda code: f"&#{code};"),
    st.integers(0, 0x120000).map(lambda code: f"&#x{code:x}"),
    st.text(max_size=5),
)
values = st.lists(PIECES, max_size=8).map("".join)


@kernel
def captioned(data: np.ndarray, out: np.ndarray, named: np.ndarray) -> int:
    return wording.caption_into(pointer(data), 0, data.size, pointer(named), pointer(out), 0)


@kernel
def unescaped(data: np.ndarray, out: np.ndarray, named: np.ndarray) -> tuple[int, int, int]:
    return wording.unescaped_into(pointer(data), 0, data.size, pointer(named), pointer(out), 0)


def caption(value: bytes) -> str | int:
    out = np.empty(wording.MAX_CAPTION_BYTES + 8, np.uint8)
    end = captioned(np.frombuffer(value, np.uint8), out, wording.NAMED)
    return bytes(out[:end]).decode() if end >= 0 else end


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=500)
@given(values)
def test_any_value_is_the_caption_that_python_makes_of_it(value: str) -> None:
    body = value.encode("utf-8", "replace")
    assert caption(body) == cleaned(unescape(plain(body)))[0]


@settings(max_examples=500)
@given(values)
def test_any_value_is_unescaped_and_stripped_as_by_python(value: str) -> None:
    body = value.encode("utf-8", "replace")
    out = np.empty(3 * len(body) + 1, np.uint8)
    begin, end, after = unescaped(np.frombuffer(body, np.uint8), out, wording.NAMED)
    wanted = unescape(plain(body))
    assert lines(bytes(out[:after]).decode()) == lines(wanted)
    assert lines(bytes(out[begin:end]).decode()) == lines(wanted.strip())


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀"])
def test_a_caption_that_must_be_cut_is_left_to_python(letter: str) -> None:
    assert caption((letter * 2_000).encode()) == letter * 2_000
    assert caption((letter * 2_000 + " \n ").encode()) == letter * 2_000
    assert caption((letter * 2_001).encode()) == wording.RARE
    assert caption(b" " * 64_001) == wording.RARE
