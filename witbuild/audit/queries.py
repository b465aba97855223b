"""What the balance made of a pair: its queries, their counts, the coins thrown and the cuts that they were held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from witbuild.runner.replay import Made
    from witbuild.sample.balance import Cuts
    from witbuild.stages.balance.keep import Keep

_WHOLE = 2.0**64


def texts(paths: Iterable[str], ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of some queries."""
    wanted = pa.array(ids, pa.int32())
    out: dict[int, str] = {}
    for path in paths:
        table = tables.read(path, ["query_id", "query"])
        rows = table.filter(pc.is_in(table["query_id"], value_set=wanted))
        out.update(zip(rows["query_id"].to_pylist(), rows["query"].to_pylist(), strict=True))
    return out


def judged(made: Made, pair: pa.Table) -> list[dict[str, Any]]:
    """Return for each query of a pair what the balance held against it.

    Args:
        made: the step balance.keep.
        pair: one row of schema.PAIRS, as the step read it.

    Returns:
        Rows of query, count (pairs that match it), charged (pairs whose rarest query it is), keep_probability,
        coin and cut (0 to 1; the coin must lie below; none when the cut is open), passed, decides (whether this
        query's coin is the one that counts).
    """
    from witbuild.sample.balance import Matches
    from witbuild.sample.verdict import pair_coins
    from witbuild.stages.balance.read import query_hashes, read_cuts

    stage: Keep = made.stage  # type: ignore[assignment]
    ids: list[int] = pair["query_ids"][0].as_py() or []
    cuts, known = read_cuts(made.inputs["cuts"], query_hashes(made.inputs["queries"]))
    thrown = _coins(stage.mode, pair_coins(pair["key"], stage.seed)[0], known.hashes[ids])
    named, ranks = texts(made.inputs["queries"], ids), known.ranks
    rarest = min(ids, key=lambda query: int(ranks[query]), default=-1)
    matches = Matches(np.array([0, len(ids)]), np.array(ids, np.int32))
    return [
        {
            "query": named[query],
            "count": int(known.counts[query]),
            "charged": int(known.charges[query]),
            **_held(cuts, query, int(coin)),
            "decides": stage.mode != "quota" or query == rarest,
        }
        for query, coin in zip(matches.ids.tolist(), thrown.tolist(), strict=True)
    ]


def _coins(mode: str, thrown: np.uint64, hashes: np.ndarray) -> np.ndarray:
    """Return the coin that is held against each query's cut; `strict` throws one for the whole pair."""
    from witbuild.sample.coins import about

    return np.full(hashes.size, thrown) if mode == "strict" else about(np.full(hashes.size, thrown), hashes)


def _held(cuts: Cuts, query: int, coin: int) -> dict[str, Any]:
    if cuts.open[query]:
        return {"keep_probability": 1.0, "coin": coin / _WHOLE, "cut": None, "passed": True}
    cut = int(cuts.cut[query])
    return {"keep_probability": cut / _WHOLE, "coin": coin / _WHOLE, "cut": cut / _WHOLE, "passed": coin < cut}


def after(paths: Iterable[str], ids: Sequence[int]) -> dict[int, int]:
    """Return how many pairs of the result match each of some queries, from the balance's curve."""
    wanted = pa.array(ids, pa.int32())
    out: dict[int, int] = {}
    for path in paths:
        table = tables.read(path, ["query_id", "after"])
        rows = table.filter(pc.is_in(table["query_id"], value_set=wanted))
        out.update(zip(rows["query_id"].to_pylist(), rows["after"].to_pylist(), strict=True))
    return out
