"""JSON by compiled loops: what they take is JSON to a parser, and says the same there."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from witbuild.web.json_bytes import is_compact, said

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=126)), inner),
    max_leaves=20,
)


def plain_keys(value: Any) -> bool:
    """Keys without escapes are all that is taken."""
    if isinstance(value, dict):
        return all(json.dumps(key) == f'"{key}"' for key in value) and all(map(plain_keys, value.values()))
    return all(map(plain_keys, value)) if isinstance(value, list) else True


@given(values)
def test_compact_json_is_taken(value: Any) -> None:
    assert is_compact(orjson.dumps(value)) == plain_keys(value)


PIECES = [bytes([byte]) for byte in b'"\\,:{}[]\0\n \x1f\x7f\xff\xc3\xa9\xed\xa0\x80'] + [
    b"1", b"-0", b"01", b"1e5", b"1.5", b"true", b"nul", b"null", b'"a"', b'"a":', b"{}", b"[]", b'{"a":1}', b"[[",
    b"]]", rb'"\u00e9"', rb'"\ud800"', rb'"\ud83d\ude00"', rb'"\x"', rb'"\u12"', b'"' + b"x" * 70 + b'"',
    "ä€😀".encode(), b'"\xe0\x80\x80"', b'"\xf4\x90\x80\x80"', b'"\xc0\x80"',
    b'"\xf0\x80\x80\x80"', b'"\xed\xa0\x80"', b'"\xe4\xb8"',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@example(b"[" * 100_000)
@example(b'{"a":' * 61 + b"1" + b"}" * 61)
@example(b'{"a":1{"b":1}')
@example(b'{,"a":1}')
@example(b"[1]]")
@example(b"")
def test_what_is_taken_is_json(text: bytes) -> None:
    if is_compact(text):
        assert orjson.loads(text) == json.loads(text)


@given(values, st.data())
def test_a_byte_changed_is_noticed(value: Any, data: st.DataObject) -> None:
    text = bytearray(orjson.dumps([value]))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.sampled_from(b'"\\,:{}[] 0a\x80\xc3\x1f'))
    if is_compact(bytes(text)):
        orjson.loads(text)


@given(texts)
def test_strings_say_what_a_parser_reads(text: str) -> None:
    for written in (
        orjson.dumps(text),
        *([json.dumps(text).encode()] if all(ord(one) < 1 << 16 for one in text) else []),
    ):
        assert is_compact(written)
        assert said(written[1:-1]).decode() == orjson.loads(written)


@pytest.mark.parametrize("depth", [1, 59, 60, 61])
def test_nesting_is_bounded(depth: int) -> None:
    assert is_compact(b"[" * depth + b"1" + b"]" * depth) == (depth <= 60)


def test_ten_megabytes_are_one_string() -> None:
    assert is_compact(b'"' + b"x" * 10_000_000 + b'"')
    assert not is_compact(b'"' + b"x" * 10_000_000)


@pytest.mark.parametrize("text", PIECES)
def test_each_piece_that_is_taken_is_json(text: bytes) -> None:
    for value in (text, b"[" + text + b"]"):
        if is_compact(value):
            orjson.loads(value)


def test_lone_surrogates_are_left_to_the_parser() -> None:
    for code in (0xD800, 0xDBFF, 0xDC00, 0xDFFF):
        assert not is_compact(b'"\\u%04x"' % code)
    assert is_compact(b'"\\ud7ff\\ue000"')
