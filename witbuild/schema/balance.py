"""The tables of balance: counts, coins, cuts, the curve."""

from __future__ import annotations

import pyarrow as pa

from witbuild.schema.columns import column

COUNTS = pa.schema(
    [
        column("query_id", pa.int32(), "of the query"),
        column("count", pa.int64(), "pairs that match it"),
    ],
)

COINS = pa.schema(
    [
        column(
            "coin", pa.uint64(), "keyed hash of (seed, key) and, where the pair is charged to one query, of its text"
        ),
        column("query_ids", pa.list_(pa.int32()), "queries over the limit that the coin is thrown for, ascending"),
    ],
)

CUTS = pa.schema(
    [
        column("query_id", pa.int32(), "of a query that a pair matches"),
        column("count", pa.int64(), "pairs that match it"),
        column("charged", pa.int64(), "pairs charged to it: it is the rarest query that they match"),
        column("cut", pa.uint64(), "coins below it are kept; null: all are", null=True),
    ],
)

CURVE = pa.schema(
    [
        column("query_id", pa.int32(), "of a query that a pair matched before balancing"),
        column("before", pa.int64(), "pairs that matched it before"),
        column("charged", pa.int64(), "pairs charged to it before: it was the rarest query that they matched"),
        column("quota", pa.int64(), "pairs that a quota lets it keep: its charged pairs, at most the limit"),
        column("after", pa.int64(), "pairs that match it in the result"),
    ],
)
