"""Take pairs out of a finished run's data set, for good.

1. The records of every shard are held against the request; what a URL or host names takes its exact bytes along, so
   that the same file under another address goes too.
2. Shards that hold such pairs are written again without them; all other bytes stay as they are.
3. Shards, sidecars, sizes.json, index.json, manifests, tombstones and proof replace what was there as one (io.redo).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.audit.removal import Removal
from witbuild.audit.requests import tombstone
from witbuild.audit.shards import LOOKED_AT, as_pairs
from witbuild.errors import InputError, RecipeError
from witbuild.io import redo, store, tables
from witbuild.io.run import TOMBSTONES, Run
from witbuild.runner.replay import replay
from witbuild.sample.tombstones import Tombstones
from witbuild.schema import TOMBSTONES as SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from witbuild.io.redo import Change
    from witbuild.runner.replay import Made

RELEASED = "dataset/manifest.json"
"""Says that the data set is released as it is; it is not any more, until it is released again."""
_CARRIES_BYTES = ("url", "host")


@dataclass(frozen=True, kw_only=True)
class Takedown:
    """What a takedown did."""

    proof: str
    """Path of the proof."""
    removed: int
    shards: int
    """That were written again."""
    tombstones: int
    """New ones."""
    root: str
    """Of the run, afterwards."""


def takedown(root: str, requests: Iterable[Mapping[str, Any]]) -> Takedown:
    """Remove what some requests name from a run's data set, and bar it from later builds.

    Args:
        root: of the run.
        requests: rows of schema.TOMBSTONES.

    Raises:
        InputError: the run has no whole data set, or lies on an object store.
        RecipeError: nothing was asked for.
    """
    redo.finish(root)
    wanted = _new(root, requests)
    if not wanted:
        raise RecipeError(f"{root}: nothing to take down that was not taken down before")
    pack, index = _steps(root)
    wanted += _new(root, _bytes_of(pack, wanted), wanted)
    before = Run(root).merkle_root()
    with redo.replacing(root) as change:
        removal = Removal(root, change, pack, index)
        removal.carry_out(Tombstones(_table(wanted)))
        _write_tombstones(root, change, wanted)
        if removal.rewritten:
            change.remove(RELEASED)
        proof = removal.prove(wanted, before)
    return Takedown(
        proof=store.join(root, proof),
        removed=removal.removed,
        shards=len(removal.rewritten),
        tombstones=len(wanted),
        root=Run(root).merkle_root(),
    )


def known(root: str) -> pa.Table:
    """Return the tombstones of a run; none when nothing was taken down."""
    path = store.join(root, TOMBSTONES)
    return tables.read(path) if store.exists(path) else SCHEMA.empty_table()


def _identity(row: Mapping[str, Any]) -> tuple[object, ...]:
    return row["kind"], row["value"], row["distance"]


def _new(
    root: str, rows: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]] = ()
) -> list[Mapping[str, Any]]:
    """Return the rows that the run does not have yet, each once."""
    old = {_identity(row) for row in (*known(root).to_pylist(), *more)}
    return list({_identity(row): row for row in rows if _identity(row) not in old}.values())


def _table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return tables.from_rows(rows, SCHEMA)


def _steps(root: str) -> tuple[Made, Made]:
    """Return the steps that wrote the shards and the index of a run."""
    made = list(replay(root))
    pack = next((one for one in reversed(made) if one.manifest.files("sidecars")), None)
    index = next((one for one in reversed(made) if one.manifest.files("index")), None)
    if pack is None or index is None:
        raise InputError(f"{root}: has no whole data set to take anything out of; run shard first")
    return pack, index


def _bytes_of(pack: Made, wanted: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield tombstones of the image bytes that URLs and hosts of a request stand for."""
    named = [row for row in wanted if row["kind"] in _CARRIES_BYTES]
    if not named:
        return
    stones, requests = Tombstones(_table(named)), {(row["kind"], row["value"]): row["request"] for row in named}
    for path in pack.paths("sidecars"):
        pairs = as_pairs(tables.read(path, LOOKED_AT))
        for row in pairs.filter(pa.array(stones.barred(pairs))).select(["url", "original_sha256"]).to_pylist():
            if digest := row["original_sha256"]:
                yield tombstone("sha256", digest, request=_request(row["url"], requests))


def _request(url: str, requests: Mapping[tuple[str, str], str]) -> str:
    """Return the request that named a URL, or a host that it lies on."""
    from witbuild.web.urls import canonical, host

    labels = host(url).rstrip(".").split(".")
    names = [("url", canonical(url)), *(("host", ".".join(labels[start:])) for start in range(len(labels)))]
    return next(requests[name] for name in names if name in requests)


def _write_tombstones(root: str, change: Change, wanted: list[Mapping[str, Any]]) -> None:
    table = tables.conform(pa.concat_tables([known(root), _table(wanted)]), SCHEMA)
    tables.write(change.file(TOMBSTONES), table, dropped={})
