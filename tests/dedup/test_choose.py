"""Which member of a cluster stays: the compiled choice is the plain rule, whatever the members' order."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.choose import _origin, drops
from witbuild.schema import CLUSTERS

FEW = st.integers(0, 2)
HASH = st.sampled_from([0, 1, 2**63, 2**64 - 1])
MEMBER = st.fixed_dictionaries(
    {
        "root": HASH,
        "area": st.sampled_from([0, 1, 2**40]),
        "caption_length": FEW,
        "key_high": HASH,
        "key_low": HASH,
        "origin": HASH,
        "url": FEW,
    }
)
ADDRESSES = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 9)), unique=True, max_size=30)
Row = dict[str, int]
RANKS: dict[str, Callable[[Row], tuple[int, ...]]] = {
    "largest_image": lambda row: (-row["area"], -row["caption_length"]),
    "longest_caption": lambda row: (-row["caption_length"], -row["area"]),
    "smallest_key": lambda _: (),
}


def order(row: Row, keep: str) -> tuple[int, ...]:
    same = (row["key_high"], row["key_low"], row["origin"], row["part"], row["row"])
    return (int(row["part"] >= 0), *RANKS[keep](row), *same)


def expected(rows: list[Row], scope: str, keep: str) -> list[tuple[int, int, str]]:
    out = []
    for row in rows:
        best = min((one for one in rows if one["root"] == row["root"]), key=lambda one: order(one, keep))
        if row is best or row["part"] < 0:
            continue
        reason = "duplicate_image" if "image" in scope else f"duplicate_{scope.removeprefix('caption+')}"
        if scope != "caption" and row["url"] == best["url"]:
            reason = "duplicate_url"
        out.append((row["part"], row["row"], "against" if best["part"] < 0 else reason))
    return sorted(out)


@pytest.mark.parametrize("keep", RANKS)
@pytest.mark.parametrize("scope", ["caption+image", "caption+url", "caption", "image", "url"])
@given(addresses=ADDRESSES, data=st.data())
def test_drops_are_those_of_the_plain_rule(
    scope: str, keep: str, addresses: list[tuple[int, int]], data: st.DataObject
) -> None:
    rows = [{**data.draw(MEMBER), "part": part, "row": row} for part, row in addresses]
    found = drops(pa.Table.from_pylist(rows, schema=CLUSTERS), scope, keep)
    lost = zip(found["part"].tolist(), found["row"].tolist(), found["reason"].to_pylist(), strict=True)
    assert list(lost) == expected(rows, scope, keep)


ORIGIN = st.fixed_dictionaries(
    {
        "page_url": st.none() | st.sampled_from(["http://a.test/", "http://b.test/"]),
        "source": st.none() | st.sampled_from(["", "site", "wat"]),
        "source_file": st.none(),
        "source_offset": st.none() | st.integers(0, 3),
        "caption_source": st.sampled_from(["alt", "title"]),
        "licence": st.none() | st.text(max_size=3),
    }
)
KINDS = [("source_offset", pa.int64()), *((name, pa.string()) for name in ("page_url", "source", "source_file"))]
SCHEMA = pa.schema([*KINDS, ("caption_source", pa.string()), ("licence", pa.string())])


@given(st.lists(ORIGIN, max_size=12), st.integers(0, 12))
def test_origins_are_told_apart_and_are_the_same_however_texts_are_coded(rows: list[Row], split: int) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    texts = {name for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True) if pa.types.is_string(kind)}
    pieces = [
        pa.table({name: one[name].dictionary_encode() if name in texts else one[name] for name in SCHEMA.names})
        for one in (table.slice(0, split), table.slice(split))
    ]
    plain, coded = _origin(table), _origin(pa.concat_tables(pieces))
    assert coded.tolist() == plain.tolist()
    told = [tuple(row[name] or "" if name != "source_offset" else row[name] for name in SCHEMA.names) for row in rows]
    assert len(set(told)) == len(set(plain.tolist()))
