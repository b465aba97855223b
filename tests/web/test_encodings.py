"""Content codings: undone whole or not at all, and never beyond the bound."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web.encodings import MAX_MEMBERS, decode
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


@given(
    st.lists(st.binary(max_size=900), min_size=1, max_size=8),
    st.sampled_from([b"", bytes(512), b"\x1f\x8b", b"<!-- -->"]),
)
def test_all_members_of_a_gzip_body_are_read_and_what_is_none_behind_them_is_not(
    bodies: list[bytes], rest: bytes
) -> None:
    members = b"".join(map(gzip.compress, bodies))
    whole = b"".join(bodies)
    assert decode(members + rest, "gzip", len(whole)) == whole
    if whole:
        assert reason(members, "gzip", len(whole) - 1) == "too_large"


def test_members_longer_than_a_piece_are_read() -> None:
    bodies = [random.Random(seed).randbytes(size) for seed, size in enumerate([200_000, 65_536 - 18, 1, 0, 131_072])]
    assert decode(b"".join(map(gzip.compress, bodies)), "x-gzip", 1_000_000) == b"".join(bodies)


def test_many_members_together_end_at_the_bound() -> None:
    bombs = gzip.compress(bytes(400_000)) * 5
    assert reason(bombs, "gzip", 1_000_000) == "too_large"
    assert decode(gzip.compress(b"") * MAX_MEMBERS, "gzip", 10) == b""
    assert reason(gzip.compress(b"") * (MAX_MEMBERS + 1), "gzip") == "bad_encoding"


def test_a_cut_or_broken_member_behind_whole_ones_makes_the_body_none() -> None:
    first, second = gzip.compress(b"first"), gzip.compress(b"second" * 9)
    assert reason(first + second[:-1], "gzip") == "bad_encoding"
    assert reason(first + second[:-8] + bytes(8), "gzip") == "bad_encoding"


def test_deflate_is_one_stream() -> None:
    assert decode(zlib.compress(b"text") + gzip.compress(b"more"), "deflate", 100) == b"text"
