"""Which member of a cluster stays: the compiled choice is the plain rule, whatever the members' order."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.choose import drops
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
