"""The list of all shards, beside the tars for trainers and above them for readers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.stage import Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from witbuild.stage import Inputs


@dataclass(frozen=True)
class Layout:
    """In which folders of a data set its files lie."""

    shards: str
    sidecars: str

    def data(self, shard: str) -> str:
        """Return where a shard lies, from the data set's folder."""
        return self.shards + shard

    def metadata(self, shard: str) -> str:
        """Return where a shard's records lie.

        Example:
            >>> TREE.metadata("val-00000-of-00001.tar")
            'metadata/val-00000-of-00001.parquet'
        """
        return f"{self.sidecars}{shard.rpartition('.')[0]}.parquet"

    def pattern(self, last: str) -> str:
        """Return the shards of a split in braces, given its last.

        Example:
            >>> TREE.pattern("train-00011-of-00012.tar"), FLAT.pattern("00003.tar")
            ('data/train-{00000..00011}-of-00012.tar', '{00000..00003}.tar')
        """
        number = re.search(r"\d{5,}", last)
        if number is None:
            raise ValueError(last)
        braces = f"{{{'0' * len(number[0])}..{number[0]}}}"
        return self.data(last[: number.start()] + braces + last[number.end() :])


TREE = Layout("data/", "metadata/")
FLAT = Layout("", "")
"""img2dataset's."""


class Index(Stage):
    """List every shard, beside the tars for trainers and above them for readers."""

    name: ClassVar = "shard.index"
    reads: ClassVar = ("shards",)
    output: ClassVar = "shards"
    version: ClassVar = 2
    files: ClassVar = {"sizes": ".json", "index": ".json"}
    homes: ClassVar = {"sizes": "dataset/data", "index": "dataset"}
    layout: ClassVar = TREE

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield the one task."""
        yield Task(0, {"shards": inputs["shards"]})

    def process(self, task: Task) -> Part:
        """Gather the shards' rows: as many as there are shards."""
        from witbuild.io import tables
        from witbuild.io.manifest import dumps

        table = tables.read_all(task.sources["shards"])
        rows = table.to_pylist()
        sizes, index = task.scratch_file("sizes.json"), task.scratch_file("index.json")
        sizes.write_bytes(dumps({row["shard"]: row["samples"] for row in rows}))
        index.write_bytes(dumps(listing(rows, self.layout)))
        return Part(table, files={"sizes": sizes, "index": index})

    def file_name(self, kind: str, task: Task) -> str:
        """Return sizes.json or index.json."""
        return f"{kind}.json"


class FlatIndex(Index):
    """List every shard of img2dataset's layout: one folder holds all."""

    name: ClassVar = "shard.index_img2dataset"
    homes: ClassVar = {"sizes": "dataset", "index": "dataset"}
    layout: ClassVar = FLAT


def listing(rows: Sequence[Mapping[str, Any]], layout: Layout) -> dict[str, Any]:
    """Return the content of index.json: totals of each split, and the shards with where their files lie."""
    places = [{"path": layout.data(row["shard"]), "metadata": layout.metadata(row["shard"])} for row in rows]
    shards = [{**place, **row} for place, row in zip(places, rows, strict=True)]
    return {"splits": summary(rows, layout), "shards": shards}


def summary(rows: Iterable[Mapping[str, Any]], layout: Layout) -> dict[str, dict[str, Any]]:
    """Return the totals of each split, and its shards as trainers want them named.

    Example:
        >>> rows = [{"shard": "train-00000-of-00001.tar", "split": "train", "samples": 3, "bytes": 10240}]
        >>> summary(rows, TREE)
        {'train': {'pattern': 'data/train-{00000..00000}-of-00001.tar', 'shards': 1, 'samples': 3, 'bytes': 10240}}
    """
    totals: dict[str, Counter[str]] = {}
    names: dict[str, str] = {}
    for row in rows:
        numbers = {"shards": 1, "samples": row["samples"], "bytes": row["bytes"]}
        totals.setdefault(row["split"], Counter()).update(numbers)
        names[row["split"]] = row["shard"]
    return {split: {"pattern": layout.pattern(names[split]), **total} for split, total in totals.items()}
