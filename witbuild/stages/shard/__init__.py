"""Write the data set: WebDataset tars in one shuffled order, whatever parts and workers made them.

pairs ─ image clusters ─> groups                        only with a val_fraction
pairs ─ scatter ─> samples, sliced by coin ─ sort ─> samples in the global order ─ pack ─> shards ─ index
                                                                    images ────────┘

RUN/dataset/data/train-00000-of-00012.tar      key.jpg key.json key.txt, samples_per_shard of them
RUN/dataset/data/sizes.json                    {"train-00000-of-00012.tar": 10000, ...}
RUN/dataset/metadata/train-00000-of-00012.parquet    the shard's records as a table
RUN/dataset/index.json                         every shard with samples, bytes and sha256
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from witbuild.stage import Stage
from witbuild.stages.shard.formats import Img2datasetPack, ParquetPack, TarPack
from witbuild.stages.shard.index import FlatIndex, Index
from witbuild.stages.shard.scatter import Scatter
from witbuild.stages.shard.sort import Sort
from witbuild.stages.shard.split import image_clusters


class Shard(Stage):
    """Write the data set, `RUN/dataset`, as WebDataset tars that any CLIP trainer reads, or as parquet."""

    name: ClassVar = "shard"
    reads: ClassVar = ("pairs", "images")
    optional: ClassVar = ("queries",)
    output: ClassVar = "shards"

    format: Literal["tar", "parquet"] = "tar"
    """WebDataset tars, or parquet files with the images in them."""
    layout: Literal["witbuild", "img2dataset"] = "witbuild"
    """How files and fields are named: as docs/format.md says, or as img2dataset does (tars, one split)."""
    samples_per_shard: int = Field(10_000, ge=1)
    """At most so many samples in a tar."""
    max_shard_bytes: int | None = Field(1_000_000_000, ge=1 << 20)
    """At most so many bytes in a tar; a single larger sample has a tar of its own."""
    val_fraction: float = Field(0.0, ge=0, lt=1)
    """Share of the images that go to a second split, named val; near-duplicate images go the same way."""
    seed: int = 0
    """Of the shuffle and of the split."""
    slices: int = Field(16, ge=1, le=1 << 16)
    """In how many slices the order is sorted, at about one million pairs each; the tars do not depend on it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.layout == "img2dataset" and (self.format != "tar" or self.val_fraction):
            raise ValueError("the layout img2dataset has tars and one split; leave format and val_fraction out")
        return self

    def steps(self) -> tuple[Stage, ...]:
        """Return the four steps; those that cluster the images come first when there are two splits."""
        pack = (
            Img2datasetPack if self.layout == "img2dataset" else {"tar": TarPack, "parquet": ParquetPack}[self.format]
        )
        limits = {"samples_per_shard": self.samples_per_shard, "max_shard_bytes": self.max_shard_bytes}
        return (
            *(image_clusters(self.slices) if self.val_fraction else ()),
            Scatter(seed=self.seed, slices=self.slices, val_fraction=self.val_fraction),
            Sort(),
            pack(**limits, train_slices=self.slices),
            FlatIndex() if self.layout == "img2dataset" else Index(),
        )
