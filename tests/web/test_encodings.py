"""Content codings: undone whole or not at all, and never beyond the bound."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web.encodings import decode
from witbuild.web.reasons import FetchError

PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "identity": bytes,
    "": bytes,
}


def reason(body: bytes, encoding: str, limit: int = 1000) -> str:
    with pytest.raises(FetchError) as caught:
        decode(body, encoding, limit)
    return caught.value.reason


@given(st.sampled_from(sorted(PACKS)), st.binary(max_size=3000))
def test_what_was_packed_comes_out(encoding: str, body: bytes) -> None:
    assert decode(PACKS[encoding](body), encoding, 3000) == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_bomb_ends_at_the_bound(encoding: str) -> None:
    bomb = PACKS[encoding](bytes(20_000_000))
    assert reason(bomb, encoding, 1_000_000) == "too_large"
    assert decode(PACKS[encoding](bytes(1000)), encoding, 1000) == bytes(1000)
    assert reason(PACKS[encoding](bytes(1001)), encoding) == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_cut_or_broken_body_is_none(encoding: str) -> None:
    whole = PACKS[encoding](b"some text that is long enough to be cut" * 3)
    assert reason(whole[:-6], encoding) == "bad_encoding"
    assert reason(b"\xff not packed at all", encoding) == "bad_encoding"


@pytest.mark.parametrize("encoding", ["zstd", "gzip, gzip", "compress", "x" * 9999])
def test_unknown_and_stacked_codings_are_refused(encoding: str) -> None:
    assert reason(b"x", encoding) == "bad_encoding"
