"""Fields of heads by the compiled loop: what the reader line by line finds, or nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.web import http

NAMES = [
    "Content-Type",
    "content-encoding",
    "X-Robots-Tag",
    "TDM-RESERVATION",
    "Server",
    "X-Y",
    "content\rtype",
    "é",
    "",
]
BEFORE = ["", "", "", " ", "\t", "\x0b"]
VALUES = ["text/html", "gzip", "noai", "1", "", "a: b", "a\rb", "é", "\x85x", "x\u00a0", "y\x1f"]
ENDS = ["\r\n", "\r\n", "\n", "\r\r\n", ""]


@st.composite
def line(draw: st.DrawFn) -> str:
    parts = [BEFORE, NAMES, BEFORE, [":", ":", ":", ""], BEFORE, VALUES, BEFORE, ENDS]
    return "".join(draw(st.sampled_from(part)) for part in parts)


@settings(max_examples=500)
@given(st.lists(line(), max_size=6).map("".join), st.sampled_from(["\r\n", "\n", ""]))
def test_any_head_is_read_as_line_by_line(lines: str, end: str) -> None:
    block = f"HTTP/1.1 200 OK\r\n{lines}{end}\r\n\r\n<p>body".encode("latin-1")
    answer = http.parse(block)
    assert answer is not None
    match = http._END.search(block)
    assert match is not None
    wanted = [(name.lower(), value) for name, value in http._headers(block[: match.start()])]
    assert [one for one in wanted if one[0] in http.READ] == [
        (name.lower(), value) for name, value in answer.headers if name.lower() in http.READ
    ]
    assert answer.raw == block[match.end() :]


@pytest.mark.parametrize(
    ("head", "usual"),
    [
        (b"A: b\r\nContent-Type:x\r\n", True),
        (b"A: b\r\n c\r\n", False),
        (b"Content-Type : x\r\n", False),
        (b"", True),
        (b"A: b\r\n" * 50_000, False),
        (b"Content-Type: x\r\n" * 65, False),
    ],
)
def test_only_usual_heads_are_read_by_the_loop(head: bytes, usual: bool) -> None:  # noqa: FBT001
    block = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n<p>"
    assert (http._fields().of(block, 0, http.MAX_HEAD_BYTES) is not None) == usual


def test_a_head_of_lines_without_names_takes_no_time() -> None:
    assert http.parse(b"HTTP/1.1 200 OK\r\n\r\n") is not None
    start = time.process_time()
    assert http.parse(b"HTTP/1.1 200 OK\n" + b"a\n" * 120_000 + b"\n<p>") is not None
    assert time.process_time() - start < 3
