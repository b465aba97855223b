"""The parameters of dedup, as far as each step needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from witbuild.stages.slices import Scaled

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from witbuild.dedup.join import Bands as Cut
    from witbuild.dedup.nodes import Evidence
    from witbuild.dedup.verify import Rule
    from witbuild.stage import Task


class Scope(Scaled):
    """What a step knows that names the scope."""

    scope: Literal["caption+image", "caption+url", "caption", "image", "url"] = "caption+image"
    """What must be the same in two pairs. An image is the same when its URL is, or, once fetched, its hash."""

    @property
    def looks_at(self) -> frozenset[str]:
        """The words of the scope."""
        return frozenset(self.scope.split("+"))


class Keeping(Scaled):
    """What a step knows that chooses among duplicates."""

    keep: Literal["largest_image", "longest_caption", "smallest_key"] = "largest_image"
    """Which pair of a group stays; ties go to the larger image, the longer caption, the smaller key, in this order."""


class Seen(Scope):
    """What a step knows that tells duplicates by their nodes."""

    image_hash: Literal["phash", "pixels", "embedding"] = "phash"
    """What of a fetched image is compared: a perceptual hash, that of its exact pixels, or what stage `embed` saw."""

    @property
    def embeds(self) -> bool:
        """Whether embeddings are compared."""
        return "image" in self.looks_at and self.image_hash == "embedding"

    @property
    def columns(self) -> list[str]:
        """Those of pairs that the evidence is made of; an image is told by its URL, too."""
        of_image = ["url", *{"phash": ["phash"], "pixels": ["pixel_sha256"]}.get(self.image_hash, [])]
        columns = {"caption": ["caption"], "url": ["url"], "image": of_image}
        return [name for word in sorted(self.looks_at) for name in columns[word]]

    def read(self, task: Task, columns: Iterable[str]) -> pa.Table:
        """Return some columns of the task's pairs, and what else the evidence needs."""
        from witbuild.dedup.choose import ORIGINS
        from witbuild.io import tables

        return tables.read(task.sources["pairs"][0], [*dict.fromkeys(columns)], coded=ORIGINS)

    def evidence(self, table: pa.Table) -> Evidence:
        """Return what the scope looks at in each pair of a part."""
        from witbuild.dedup.nodes import evidence
        from witbuild.web.urls import canonical_forms

        return evidence(table, self.looks_at, self.image_hash, canonical_forms)


class Compared(Seen):
    """What a step knows that compares nodes."""

    threshold: float = Field(0.8, gt=0, le=1)
    """Jaccard similarity of two captions' shingles from which they are the same."""
    shingle: Literal["words", "characters"] = "characters"
    """What a shingle is a run of; words are quicker, characters forgive an ending, a space or a typing error."""
    shingle_size: int | None = Field(None, ge=1, le=16)
    """Runs of 1 to so many words, by default 2, or of exactly so many characters, by default 4."""
    numbers: Literal["agree", "any"] = "agree"
    """Whether captions can be the same that have different numbers: `7 oz`, `8 oz`."""
    num_perm: int = Field(128, ge=2, le=1024)
    """Permutations of a caption's MinHash signature."""
    miss_weight: float = Field(0.5, gt=0, lt=1)
    """Weight of missed duplicates, against needless comparisons, in the choice of bands and rows."""
    hamming: int = Field(3, ge=0, le=6)
    """Bits in which two perceptual hashes of one image may differ."""
    cosine: float = Field(0.95, gt=0, le=1)
    """Of two images' embeddings, from which they are the same image."""
    tables: int = Field(64, ge=1, le=256)
    """Of random planes, in which embeddings are looked for that are near each other; more find more."""
    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Draws the permutations and the planes."""

    def cut(self) -> Cut:
        """Return how captions are cut into bands."""
        from witbuild.dedup.join import Bands as Cut
        from witbuild.dedup.lsh import optimum
        from witbuild.dedup.minhash import permutations

        bands, rows = optimum(self.threshold, self.num_perm, self.miss_weight)
        return Cut(permutations(self.num_perm, self.seed), bands, rows, self.numbers == "agree")

    @property
    def size(self) -> int:
        """Of a shingle."""
        return self.shingle_size or (2 if self.shingle == "words" else 4)

    def bands(self) -> int:
        """Return how many bands a node has at most."""
        from witbuild.dedup.hamming import table_count
        from witbuild.dedup.lsh import optimum

        if self.looks_at == {"caption"}:
            return optimum(self.threshold, self.num_perm, self.miss_weight)[0]
        if self.embeds:
            return 1 + self.tables
        return 1 + (table_count(self.distance()) if self.distance() >= 0 else 0)

    def distance(self) -> int:
        """Return in how many bits image hashes may differ; -1 when they are not looked at."""
        if "image" not in self.looks_at or self.embeds:
            return -1
        return self.hamming if self.image_hash == "phash" else 0

    def rule(self) -> Rule:
        """Return when two nodes are alike."""
        from witbuild.dedup.verify import Rule

        places = bool(self.looks_at & {"image", "url"})
        cosine = self.cosine if self.embeds else 0.0
        return Rule(places, self.distance(), "caption" in self.looks_at, self.threshold, cosine)
