"""The stage `embed`: what a model sees in each fetched image, as a table beside the pairs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from witbuild.stage import MapStage, Part, Task, digested, runtime

if TYPE_CHECKING:
    import pyarrow as pa

    from witbuild.train.scoring.clip import Clip


class Embed(MapStage):
    """Write down what a model sees in each fetched image, for `dedup` with `image_hash: embedding`."""

    name: ClassVar = "embed"
    reads: ClassVar = ("pairs", "images")
    output: ClassVar = "embeddings"
    reproducible: ClassVar = False

    folder: str = digested("")
    """Folder of a model in open_clip's form: `open_clip_config.json` and its weights."""
    model: str = ""
    """Where no folder is given, open_clip's NAME/WEIGHTS (`ViT-B-32-quickgelu/openai`), or `hf-hub:OWNER/NAME`."""
    batch_size: int = Field(64, ge=1)
    """Images that the model sees at a time."""
    device: str = runtime("auto")
    """auto, cpu, cuda or cuda:1; auto takes CUDA where there is some."""
    threads: int = runtime(1, ge=0)
    """CPU threads of a task's network; 0: as many as the process may use."""

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if not (self.folder or self.model):
            raise ValueError("name a model: `folder: PATH`, or `model: NAME/WEIGHTS` of open_clip")
        return self

    def check(self) -> None:
        """Raise when the model or torch is not there."""
        from witbuild.train.stage import needs_torch

        needs_torch("embed")
        from witbuild.train.scoring import clip

        clip.check(self.folder, self.model)

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
