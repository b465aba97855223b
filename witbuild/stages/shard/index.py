"""The list of all shards, beside the tars for trainers and above them for readers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from witbuild.stage import Inputs


class Index(Stage):
    """List every shard, beside the tars for trainers and above them for readers."""

    name: ClassVar = "shard.index"
    reads: ClassVar = ("shards",)
    output: ClassVar = "shards"
    files: ClassVar = {"sizes": ".json", "index": ".json"}
    homes: ClassVar = {"sizes": "dataset/data", "index": "dataset"}

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
        index.write_bytes(dumps({"splits": summary(rows), "shards": rows}))
        return Part(table, files={"sizes": sizes, "index": index})

    def file_name(self, kind: str, task: Task) -> str:
        """Return sizes.json or index.json."""
        return f"{kind}.json"


def summary(rows: Iterable[Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Return the totals of each split, and its shards as trainers want them named.

    Example:
        >>> summary([{"shard": "train-00000-of-00001.tar", "split": "train", "samples": 3, "bytes": 10240}])
        {'train': {'pattern': 'data/train-{00000..00000}-of-00001.tar', 'shards': 1, 'samples': 3, 'bytes': 10240}}
    """
    totals: dict[str, Counter[str]] = {}
    for row in rows:
        numbers = {"shards": 1, "samples": row["samples"], "bytes": row["bytes"]}
        totals.setdefault(str(row["split"]), Counter()).update(numbers)
    return {split: {"pattern": _pattern(split, total["shards"]), **total} for split, total in totals.items()}


def _pattern(split: str, shards: int) -> str:
    return f"data/{split}-{{00000..{shards - 1:05d}}}-of-{shards:05d}.tar"
