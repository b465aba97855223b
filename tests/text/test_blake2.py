"""BLAKE2b by a compiled loop: what hashlib says."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from witbuild.text.blake2 import digests


def hashed(messages: list[bytes]) -> list[bytes]:
    offsets = np.cumsum([0, *map(len, messages)])
    return [bytes(one) for one in digests(np.frombuffer(b"".join(messages), np.uint8), offsets)]


def wanted(messages: list[bytes]) -> list[bytes]:
    return [hashlib.blake2b(one, digest_size=16).digest() for one in messages]


def test_every_length_up_to_three_blocks() -> None:
    messages = [bytes(range(256))[: size % 256] + b"x" * max(0, size - 255) for size in range(400)]
    assert hashed(messages) == wanted(messages)


@given(st.lists(st.binary(max_size=600), min_size=1, max_size=20))
def test_any_messages(messages: list[bytes]) -> None:
    assert hashed(messages) == wanted(messages)
