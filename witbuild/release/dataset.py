"""A data set's folder as `index.json` describes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witbuild.errors import CorruptPartError, InputError
from witbuild.io import store, tables
from witbuild.io.manifest import loads

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

INDEX = "index.json"
FOLDER = "dataset"


@dataclass(frozen=True)
class Shard:
    """One of the data set's shards; paths are from its folder."""

    path: str
    metadata: str
    split: str
    samples: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A folder that `shard` wrote."""

    root: str

    @staticmethod
    def find(path: str) -> Dataset:
        """Return the data set in a folder, or in a run directory's `dataset`.

        Raises:
            InputError: there is none.
        """
        path = path.rstrip("/") if store.is_remote(path) else str(Path(path).absolute())
        for root in (path, store.join(path, FOLDER)):
            if store.exists(store.join(root, INDEX)):
                return Dataset(root)
        raise InputError(f"{path}: no data set (no {INDEX} here or in {FOLDER}/); `witbuild shard` writes one")

    def path(self, name: str) -> str:
        """Return the full path of a file."""
        return store.join(self.root, name)

    @cached_property
    def _index(self) -> Any:
        return loads(self.path(INDEX))

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, in order.

        Raises:
            CorruptPartError: the index is not one.
        """
        names = ("path", "metadata", "split", "samples", "bytes", "sha256")
        try:
            return tuple(Shard(*(row[name] for name in names)) for row in self._index["shards"])
        except (TypeError, KeyError) as error:
            raise CorruptPartError(f"{self.path(INDEX)}: not an index of shards ({error}); run shard again") from error

    @cached_property
    def splits(self) -> Mapping[str, Mapping[str, Any]]:
        """Totals and pattern of each split."""
        splits: dict[str, dict[str, Any]] = self._index["splits"]
        return splits

    @property
    def samples(self) -> int:
        """In all shards."""
        return sum(shard.samples for shard in self.shards)

    @property
    def in_tars(self) -> bool:
        """Whether the shards are tars, and not parquet files."""
        return self.shards[0].path.endswith(".tar")

    @cached_property
    def image_format(self) -> str:
        """The one format of all images: jpg, png or webp."""
        return str(self.records(self.shards[0], ["image_format"])["image_format"][0].as_py())

    def records(self, shard: Shard, columns: list[str] | None = None) -> pa.Table:
        """Return a shard's records, rows of witbuild.sample.record.SIDECAR."""
        return tables.read(self.path(shard.metadata), columns)
