"""The largest of a srcset by the compiled loop: what Python's parser says, or that it is to be asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.text.kernels import kernel
from witbuild.web import choosing, srcset
from witbuild.web.markup import pointer

PIECES = [
    "a.jpg",
    "b.png",
    ",",
    ", ",
    " ",
    "\n",
    "1x",
    "2x",
    "1.5x",
    "300w",
    "0w",
    "640w",
    "10h",
    "w",
    ".5x",
    "1.x",
    "-1w",
]
PIECES += [
    "1e3w",
    "(",
    ")",
    "\x0b",
    "\u00a0",
    "é.jpg",
    "data:image/gif;base64,R0//",
    "0.1x",
    "99999999999999999w",
    "9" * 30,
]


@kernel
def chosen(data: np.ndarray) -> tuple[float, int, int]:
    return choosing.largest(pointer(data), 0, data.size, -1.0, 0, 0)


def largest(text: str) -> str | float | None:
    body = text.encode()
    best, start, stop = chosen(np.frombuffer(body, np.uint8))
    return best if best == choosing.RARE else body[start:stop].decode() or None


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_any_list_has_the_largest_that_python_finds_or_is_rare(text: str) -> None:
    assert largest(text) in (choosing.RARE, srcset.largest(text))


@pytest.mark.parametrize(
    "text",
    [
        "s.jpg 300w, /media/b.jpg 900w",
        "a.jpg, b.jpg 1.5x, c.jpg 1.25x",
        "a.jpg 0w",
        "a b c 2x d 3x,b 2.5x",
        " , ",
        "a,,",
        "é.jpg 2x",
        "a.jpg 1x,b.jpg 2x",
        "a 5h 2x, b 2x",
        ", ".join(f"{i}.jpg {i}w" for i in range(100)),
    ],
)
def test_usual_lists_are_not_left_to_python(text: str) -> None:
    assert largest(text) == srcset.largest(text)
