"""Pairs with planted duplicates, made in columns so that tens of millions of them cost little."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.schema import QUERIES as QUERIES_SCHEMA

if TYPE_CHECKING:
    import numpy.typing as npt

WORDS, EXACT, NEAR = 200_000, 0.1, 0.1
"""Vocabulary; share of captions that repeat one before them as it is, and with words changed."""
QUERIES = 500_000
ROWS = 250_000
"""Rows a part."""


def words(random: np.random.Generator, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return numbers of words, frequent ones often (Zipf's law, exponent 1.1), for captions of these sizes."""
    drawn = random.random(int(sizes.sum()))
    return (np.power(WORDS, drawn) - 1).astype(np.int64)  # density 1 / x


def joined(numbers: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> pa.Array:
    """Return captions: their words' names with single spaces between them."""
    letters = str.maketrans("0123456789", "ghijklmnop")  # a word with another digit would be another number
    names = pa.array([f"w{number:x}".translate(letters) for number in range(WORDS)])
    offsets = pa.array(np.concatenate(([0], np.cumsum(sizes))), pa.int64())
    lists = pa.LargeListArray.from_arrays(offsets, names.take(pa.array(numbers)))
    return pc.binary_join(lists, " ").cast(pa.string())


def captions(count: int, seed: int) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return captions of 5 to 20 words, and for each the row that it was copied from, or its own.

    A copy is exact, or has one to four of its words replaced: Jaccard similarities from 0.1 to 0.93.
    """
    random = np.random.default_rng(seed)
    sizes = random.integers(5, 20, count)
    kind = random.random(count)
    copied = np.flatnonzero(kind < EXACT + NEAR)
    copied = copied[copied > 0]
    source = np.arange(count)
    source[copied] = random.integers(np.maximum(copied - 1_000, 0), copied)
    source[copied] = np.where(np.isin(source[copied], copied), copied, source[copied])  # of originals only
    sizes = sizes[source]
    starts = np.cumsum(sizes) - sizes
    original = words(random, sizes)
    place = np.repeat(starts[source] - starts, sizes) + np.arange(original.size)
    numbers = original[place]
    changes = np.where((source != np.arange(count)) & (kind >= EXACT), random.integers(1, 5, count), 0)
    for turn in range(1, 5):
        rows = np.flatnonzero(changes >= turn)
        numbers[starts[rows] + random.integers(0, sizes[rows])] = random.integers(0, WORDS, rows.size)
    return joined(numbers, sizes), source


def pairs(count: int, seed: int, *, images: int = 0) -> pa.Table:
    """Return pairs; each image URL is shared by about `count / images` of them, or its pair's own."""
    random = np.random.default_rng(seed + 1)
    texts, source = captions(count, seed)
    numbers = random.integers(0, images, count) if images else source
    halves = random.integers(0, 2**64, (count, 2), dtype=np.uint64)
    digits = np.frombuffer(halves.tobytes().hex().encode(), "S32").astype("U32")
    made = {
        "key": pa.array(digits),
        "url": pc.binary_join_element_wise(
            f"http://images.test/{seed}/", pa.array(numbers).cast(pa.string()), ".jpg", ""
        ),
        "caption": texts,
        "query_ids": matches(count, seed),
        "caption_source": pa.array(["alt"]).take(pa.array(np.zeros(count, np.int64))),
        "source": pa.array(["site"]).take(pa.array(np.zeros(count, np.int64))),
        "page_url": pc.binary_join_element_wise(
            f"http://pages.test/{seed}/", pa.array(np.arange(count)).cast(pa.string()), ""
        ),
        "width": pa.array(random.integers(100, 2_000, count), pa.int32()),
        "height": pa.array(random.integers(100, 2_000, count), pa.int32()),
    }
    return tables.conform(pa.table(made), PAIRS)


def matches(count: int, seed: int) -> pa.Array:
    """Return the queries that each of so many pairs matches: 5 on average, the frequent ones as often as MetaCLIP's."""
    random = np.random.default_rng(seed + 2)
    weights = np.cumsum(np.arange(1, QUERIES + 1) ** -1.3)
    owners = np.repeat(np.arange(count), 1 + random.poisson(5.5, count))  # some are drawn twice and count once
    drawn = np.searchsorted(weights / weights[-1], random.random(owners.size))
    codes = np.unique(owners * QUERIES + np.minimum(drawn, QUERIES - 1))
    offsets = np.concatenate(([0], np.cumsum(np.bincount(codes // QUERIES, minlength=count)))).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, (codes % QUERIES).astype(np.int32))


def save_queries(folder: Path) -> str:
    """Write the list of queries."""
    numbers = np.arange(QUERIES)
    names = pc.binary_join_element_wise("query", pa.array(numbers).cast(pa.string()), " ")
    source = pa.array(["list"]).take(pa.array(np.zeros(QUERIES, np.int64)))
    table = pa.table({"query_id": numbers, "query": names, "source": source, "rank": numbers})
    folder.mkdir(parents=True)
    tables.write(folder / "00000.parquet", tables.conform(table, QUERIES_SCHEMA), dropped={})
    return str(folder)


def save(folder: Path, count: int, rows: int = ROWS) -> str:
    """Write so many pairs in parts, by all processors; part i holds the pairs of seed i."""
    folder.mkdir(parents=True)
    starts = range(0, count, rows)
    with ProcessPoolExecutor() as pool:
        sizes = [min(rows, count - start) for start in starts]
        list(pool.map(_save_part, repeat(folder), range(len(starts)), sizes))
    return str(folder)


def _save_part(folder: Path, index: int, rows: int) -> None:
    tables.write(folder / f"{index:05d}.parquet", pairs(rows, index), dropped={})
