"""The clusters of near-duplicates that a pair lies in, and which pair of each stays."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from witbuild.audit.trace import Address, reasons
from witbuild.io import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.runner.replay import Made

SHOWN = 20
"""Members of a cluster that are named; the rest is counted."""


def clusters(steps: Iterable[Made], key: str) -> Iterator[dict[str, Any]]:
    """Yield for each dedup of a run in which a pair has duplicates: step, size, and the members with their fate.

    Args:
        steps: of the run.
        key: of the pair.
    """
    found: tuple[Made, list[int]] | None = None
    for made in steps:
        if made.stage.output == "clusters":
            found = made, _roots(made, key)
        elif made.stage.name == "dedup.drop" and found is not None:
            for root in found[1]:
                yield _described(found[0], made, root)
            found = None


def _roots(made: Made, key: str) -> list[int]:
    """Return the clusters that hold a key."""
    high, low = (pa.scalar(int(half, 16), pa.uint64()) for half in (key[:16], key[16:]))
    out: set[int] = set()
    for path in made.paths():
        table = tables.read(path, ["root", "key_high", "key_low"])
        mine = pc.and_(pc.equal(table["key_high"], high), pc.equal(table["key_low"], low))
        out.update(table.filter(mine)["root"].to_pylist())
    return sorted(out)


def _described(clustered: Made, drop: Made, root: int) -> dict[str, Any]:
    addresses = list(_members(clustered, drop, root))
    members = [_member(drop, address) for address in islice(addresses, SHOWN)]
    return {"step": drop.folder.name, "cluster": f"{root:016x}", "pairs": len(addresses), "members": members}


def _members(clustered: Made, drop: Made, root: int) -> Iterator[Address]:
    pairs = drop.inputs["pairs"]
    for path in clustered.paths():
        table = tables.read(path, ["root", "part", "row"])
        mine = pc.and_(pc.equal(table["root"], pa.scalar(root, pa.uint64())), pc.greater_equal(table["part"], 0))
        for one in table.filter(mine).to_pylist():  # below 0 are those of another run, held against this one's
            yield Address(one["part"], pairs[one["part"]], one["row"])


def _member(drop: Made, address: Address) -> dict[str, Any]:
    (row,) = address.read().select(["key", "url", "caption"]).to_pylist()
    return {**row, "dropped": ", ".join(reasons(drop, address)) or None}
