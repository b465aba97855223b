"""Every table that passes between stages; the comment of each column is the specification.

    queries ──┐
    pairs  ───┴─> pairs ─> ... ─> pairs ─> samples ─> shards ──> model ──> scores
                   │ fetch also writes:  fetches (one row for every input), images (tars of re-encoded bytes)
                   ├ dedup passes:    bands, edges, members, clusters, drops      (sliced tables)
                   └ balance passes:  counts, charges, coins (sliced), cuts, curve (bounded by the query list)

Stages three to seven all read and write *pairs*, one fixed schema, so that a recipe may order them freely: a null
means "not known yet". A column's comment is also written into the parquet file, as field metadata ``comment``.

A *sliced* table has one row group a slice: row group ``i`` of every part holds the rows of slice ``i``, so that a
reduce task reads its slice from every part without a shuffle service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.schema.balance import COINS, COUNTS, CURVE, CUTS
from witbuild.schema.columns import KEY, column
from witbuild.schema.dedup import (
    BANDS,
    CANDIDATES,
    CENTRES,
    CLUSTERS,
    EDGES,
    EMBEDDINGS,
    GROUPS,
    MEMBERS,
    RECORDS,
    REPEATS,
)
from witbuild.schema.pairs import DROPS, FETCHES, FLAGS, LEVELS, OCCURRENCES, PAIRS, QUARANTINE, TOMBSTONES, VISITS
from witbuild.schema.queries import (
    BIGRAM_COUNTS,
    BIGRAM_RUNS,
    CORPUS,
    QUERIES,
    REDIRECTS,
    TITLE_VIEWS,
    VIEW_FILES,
    WORD_COUNTS,
)
from witbuild.schema.training import CURVES, METRICS, SAMPLES, SCORES, SHARDS

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: dict[str, pa.Schema] = {
    "corpus": CORPUS,
    "word_counts": WORD_COUNTS,
    "bigram_counts": BIGRAM_COUNTS,
    "view_files": VIEW_FILES,
    "title_views": TITLE_VIEWS,
    "queries": QUERIES,
    "pairs": PAIRS,
    "fetches": FETCHES,
    "visits": VISITS,
    "quarantine": QUARANTINE,
    "counts": COUNTS,
    "charges": COUNTS,
    "coins": COINS,
    "cuts": CUTS,
    "curve": CURVE,
    "drops": DROPS,
    "occurrences": OCCURRENCES,
    "levels": LEVELS,
    "flags": FLAGS,
    "bands": BANDS,
    "repeats": REPEATS,
    "candidates": CANDIDATES,
    "records": RECORDS,
    "edges": EDGES,
    "embeddings": EMBEDDINGS,
    "centres": CENTRES,
    "members": MEMBERS,
    "clusters": CLUSTERS,
    "groups": GROUPS,
    "samples": SAMPLES,
    "shards": SHARDS,
    "metrics": METRICS,
    "scores": SCORES,
    "curves": CURVES,
    "tombstones": TOMBSTONES,
}
"""Name of a table -> its schema."""

__all__ = [
    "BANDS",
    "BIGRAM_COUNTS",
    "BIGRAM_RUNS",
    "CANDIDATES",
    "CENTRES",
    "CLUSTERS",
    "COINS",
    "CORPUS",
    "COUNTS",
    "CURVE",
    "CURVES",
    "CUTS",
    "DROPS",
    "EDGES",
    "EMBEDDINGS",
    "FETCHES",
    "FLAGS",
    "GROUPS",
    "KEY",
    "LEVELS",
    "MEMBERS",
    "METRICS",
    "OCCURRENCES",
    "PAIRS",
    "QUARANTINE",
    "QUERIES",
    "RECORDS",
    "REDIRECTS",
    "REPEATS",
    "SAMPLES",
    "SCORES",
    "SHARDS",
    "TABLES",
    "TITLE_VIEWS",
    "TOMBSTONES",
    "VIEW_FILES",
    "VISITS",
    "WORD_COUNTS",
    "column",
]
