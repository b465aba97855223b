"""The stage `embed`: what a model sees in each fetched image, as a table beside the pairs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Part, Task
from witbuild.train.scoring.seeing import Seeing

if TYPE_CHECKING:
    import pyarrow as pa

    from witbuild.train.scoring.clip import Clip


class Embed(Seeing):
    """Write down what a model sees in each fetched image, for `dedup` with `image_hash: embedding`."""

    name: ClassVar = "embed"
    output: ClassVar = "embeddings"

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Embed the images of a part, batch by batch, in the order in which they lie."""
        import pyarrow as pa

        from witbuild.stages.shard.images import in_image_order, read_images

        vectors: list[bytes | None] = [None] * table.num_rows
        mine = in_image_order(table)
        for start in range(0, mine.size, self.batch_size):
            rows = mine[start : start + self.batch_size]
            for row, vector in self._seen(read_images(table.take(rows), task.sources["images"])).items():
                vectors[rows[row]] = vector
        return Part(pa.table({"key": table["key"], "vector": pa.array(vectors, pa.binary())}))

    def _seen(self, bodies: list[bytes]) -> dict[int, bytes]:
        """Return the number and the vector of each image that can be decoded."""
        from witbuild.dedup.vectors import as_bytes
        from witbuild.train.device import choose

        clip = _loaded(self.folder, self.model, str(choose(self.device, self.threads)))
        features, good = clip.images(bodies, self.batch_size)
        return dict(zip(good, (row.tobytes() for row in as_bytes(features.numpy())), strict=True))


@lru_cache(maxsize=2)
def _loaded(folder: str, name: str, device: str) -> Clip:
    """Return the model; a process loads it once, not once a task."""
    import torch

    from witbuild.train.scoring.clip import load

    return load(folder=folder, name=name, device=torch.device(device))
