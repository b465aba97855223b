"""Tombstones: what was taken down, so that no later build brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from witbuild.dedup.near import Near

    Mask = npt.NDArray[np.bool_]

KINDS = ("key", "url", "host", "sha256", "phash")
"""What a tombstone can name."""
REASON = "taken_down"
"""Of the drops."""


class Tombstones:
    """The list, held against pairs; memory is that of the list and of one part.

    Args:
        table: of schema.TOMBSTONES.

    Example:
        >>> from witbuild.schema import TOMBSTONES
        >>> row = {"kind": "host", "value": "a.test", "distance": 0, "request": "--host a.test"}
        >>> pairs = pa.table({"key": ["0" * 32] * 2, "url": ["http://i.a.test/1", "http://b.test/1"]})
        >>> Tombstones(tables.from_rows([row], TOMBSTONES)).barred(pairs).tolist()
        [True, False]
    """

    def __init__(self, table: pa.Table) -> None:
        self._values = {kind: _of(table, kind) for kind in KINDS}
        self._near = _near(table)

    @classmethod
    def read(cls, paths: Iterable[str]) -> Tombstones:
        """Read the lists of some files."""
        return cls(tables.read_all(paths))

    def barred(self, pairs: pa.Table) -> Mask:
        """Say of each of n pairs whether something that it is was taken down, bool of shape (n,).

        Args:
            pairs: the columns key and url; original_sha256 and phash where they are known.
        """
        out = self._is_in(pairs, "key", "key") | self._is_in(pairs, "original_sha256", "sha256")
        return out | self._by_address(pairs["url"]) | self._by_look(pairs)

    def _is_in(self, pairs: pa.Table, column: str, kind: str) -> Mask:
        values = self._values[kind]
        if not len(values) or column not in pairs.column_names:
            return np.zeros(pairs.num_rows, np.bool_)
        return np.asarray(pc.is_in(pairs[column].cast(pa.string()), value_set=values), np.bool_)

    def _by_address(self, addresses: pa.ChunkedArray) -> Mask:
        """Compare URLs as canonical ones, and hosts with those named and all names above them."""
        from witbuild.web.urls import canonical, host

        urls, hosts = (set(self._values[kind].to_pylist()) for kind in ("url", "host"))
        if not urls and not hosts:
            return np.zeros(len(addresses), np.bool_)
        coded = addresses.combine_chunks().dictionary_encode()
        distinct = coded.dictionary.to_pylist()
        found = [(urls and canonical(url) in urls) or (hosts and _below(host(url), hosts)) for url in distinct]
        return np.array(found, np.bool_)[coded.indices.to_numpy()]

    def _by_look(self, pairs: pa.Table) -> Mask:
        out = np.zeros(pairs.num_rows, np.bool_)
        if not self._near or "phash" not in pairs.column_names:
            return out
        known = pairs["phash"].is_valid().to_numpy()
        hashes = pairs["phash"].fill_null(0).cast(pa.uint64()).to_numpy()
        for one in self._near:
            out |= known & (one.nearest(hashes) >= 0)
        return out


def _of(table: pa.Table, kind: str) -> pa.Array:
    return table.filter(pc.equal(table["kind"], kind))["value"].combine_chunks()


def _near(table: pa.Table) -> list[Near]:
    """Return the perceptual hashes, those of one distance together."""
    from witbuild.dedup.near import Near

    rows = table.filter(pc.equal(table["kind"], "phash"))
    out = []
    for distance in sorted(set(rows["distance"].to_pylist())):
        values = rows.filter(pc.equal(rows["distance"], distance))["value"].to_pylist()
        out.append(Near(np.array([int(value, 16) for value in values], np.uint64), distance=distance))
    return out


def _below(name: str, hosts: set[str]) -> bool:
    """Say whether a host is one of some or below one."""
    labels = name.rstrip(".").split(".")
    return any(".".join(labels[start:]) in hosts for start in range(len(labels)))


def standing(pairs: pa.Table, paths: Iterable[str] | None) -> tuple[pa.Table, dict[str, int]]:
    """Return the pairs that no tombstone names, and the number of the others as a stage's drops.

    Args:
        pairs: of a part.
        paths: of the lists; None: there are none.
    """
    if paths is None:
        return pairs, {}
    barred = Tombstones.read(paths).barred(pairs)
    gone = int(barred.sum())
    return pairs.filter(pa.array(~barred)), {REASON: gone} if gone else {}
