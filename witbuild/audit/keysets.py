"""Two sets of keys compared: written into buckets by their first bits, then bucket by bucket held side by side.

Memory is that of one bucket of each set, whatever the sizes; the temporary files take 24 bytes a key.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from witbuild.dedup.strings import hash_strings, strings
from witbuild.io import tables
from witbuild.sample.coins import key_halves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

ROWS_A_BUCKET = 1 << 20
_RECORD = np.dtype([("high", "<u8"), ("low", "<u8"), ("content", "<u8")])


@dataclass(frozen=True)
class Keyed:
    """A table with keys: the paths of its parts, and the column that says what a key stands for."""

    paths: Sequence[str]
    content: str
    """A sha256 of the image; keys whose contents differ count as changed."""

    def rows(self) -> int:
        """Return the rows of all parts."""
        return sum(tables.Footer(path).rows for path in self.paths)


@dataclass(frozen=True)
class Changes:
    """Of a bucket, or of all: the keys that only one set has, that both have, and that stand for another image."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: int = 0


def compare(old: Keyed, new: Keyed, rows_a_bucket: int = ROWS_A_BUCKET) -> Iterator[Changes]:
    """Yield the changes from one set to another, in the order of the keys, a bucket at a time."""
    rows = max(old.rows(), new.rows())
    bits = min(16, max(0, (rows // rows_a_bucket).bit_length()))
    with tempfile.TemporaryDirectory() as folder:
        paths = [_scatter(Path(folder) / name, one, bits) for name, one in (("old", old), ("new", new))]
        for bucket in range(1 << bits):
            yield _compared(*(_bucket(path, bucket) for path in paths))


def _scatter(folder: Path, keyed: Keyed, bits: int) -> Path:
    """Append each key to the file of its bucket."""
    folder.mkdir()
    for path in keyed.paths:
        records = _records(tables.read(path, ["key", keyed.content]), keyed.content)
        buckets = _first_bits(records["high"], bits)
        for bucket in np.unique(buckets).tolist():
            with (folder / str(bucket)).open("ab") as stream:
                stream.write(records[buckets == bucket].tobytes())
    return folder


def _records(table: pa.Table, content: str) -> npt.NDArray[np.void]:
    out = np.zeros(table.num_rows, _RECORD)
    halves = key_halves(table["key"])
    out["high"], out["low"] = halves[:, 0], halves[:, 1]
    out["content"] = hash_strings(strings(table[content].cast(pa.large_string()).fill_null("")))
    return out


def _first_bits(high: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.int64]:
    if bits == 0:
        return np.zeros(high.size, np.int64)
    return (high >> np.uint64(64 - bits)).astype(np.int64)


def _bucket(folder: Path, bucket: int) -> npt.NDArray[np.void]:
    """Return a bucket in the order of its keys, one row a key: that of the smallest content."""
    path = folder / str(bucket)
    records = np.fromfile(path, _RECORD) if path.exists() else np.zeros(0, _RECORD)
    records = records[np.lexsort((records["content"], records["low"], records["high"]))]
    return records[~_repeats(records)]


def _repeats(records: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Say of each record, in the order of the keys, whether the one before it has its key."""
    out = np.zeros(records.size, np.bool_)
    out[1:] = (records["high"][1:] == records["high"][:-1]) & (records["low"][1:] == records["low"][:-1])
    return out


def _compared(old: npt.NDArray[np.void], new: npt.NDArray[np.void]) -> Changes:
    both = np.concatenate((old, new))
    order = np.lexsort((np.arange(both.size) >= old.size, both["low"], both["high"]))
    ranked, fresh = both[order], order >= old.size
    tied = _repeats(ranked)
    alone = ~tied
    alone[:-1] &= ~tied[1:]
    second = np.flatnonzero(tied)
    other = ranked["content"][second] != ranked["content"][second - 1]
    return Changes(
        added=_hex(ranked[alone & fresh]),
        removed=_hex(ranked[alone & ~fresh]),
        changed=_hex(ranked[second[other]]),
        same=int(second.size - other.sum()),
    )


def _hex(records: npt.NDArray[np.void]) -> list[str]:
    halves = zip(records["high"].tolist(), records["low"].tolist(), strict=True)
    return [f"{high:016x}{low:016x}" for high, low in halves]


def table(changes: Iterable[Changes]) -> Iterator[pa.Table]:
    """Yield the changed keys as tables of key and change: added, removed or changed."""
    for one in changes:
        lists = {"added": one.added, "removed": one.removed, "changed": one.changed}
        keys = [key for found in lists.values() for key in found]
        names = [name for name, found in lists.items() for _ in found]
        yield pa.table({"key": pa.array(keys, pa.string()), "change": pa.array(names, pa.string())}).sort_by("key")
