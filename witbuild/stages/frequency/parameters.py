"""The parameters of frequency, and what of a pair is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from witbuild.stages.slices import Sliced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Hashes = npt.NDArray[np.uint64]

LIMITS = ("max_images_per_caption", "max_pairs_per_caption", "max_captions_per_image", "frequent_ngrams")
"""Parameters of which one at least must be given."""
REASONS = {
    "max_images_per_caption": "caption_of_many_images",
    "max_pairs_per_caption": "caption_of_many_pairs",
    "max_captions_per_image": "image_of_many_captions",
    "frequent_ngrams": "rare_ngram",
}
"""Parameter -> reason of its drops, in the order in which a pair is judged."""


class Limits(Sliced):
    """What every step of frequency knows."""

    max_images_per_caption: int = Field(0, ge=0)
    """Drop all pairs of a caption that stands with more different images; 0: any number."""
    max_pairs_per_caption: int = Field(0, ge=0)
    """Drop all pairs of a caption that stands in more pairs, with whatever images; 0: any number."""
    max_captions_per_image: int = Field(0, ge=0)
    """Drop all pairs of an image that stands with more different captions; 0: any number."""
    frequent_ngrams: int = Field(0, ge=0)
    """Drop captions that hold an n-gram which is not among so many most frequent ones of all pairs; 0: none."""
    ngram_size: Literal[1, 2] = 2
    """N-grams that are counted: words alone, or words and bigrams."""

    def captions(self, table: pa.Table) -> Hashes:
        """Return the hash of each pair's caption, as it is, uint64 of shape (n,)."""
        from witbuild.dedup.strings import hash_strings, strings

        return hash_strings(strings(table["caption"]))

    def images(self, table: pa.Table) -> Hashes:
        """Return what each pair's image is told by: the hash of its pixels once fetched, before that its URL."""
        import numpy as np

        from witbuild.dedup.nodes import url_hashes
        from witbuild.dedup.strings import hash_strings, strings
        from witbuild.web.urls import canonical_forms

        fetched = table["pixel_sha256"].is_valid().to_numpy()
        pixels, urls = hash_strings(strings(table["pixel_sha256"])), url_hashes(table["url"], canonical_forms)
        return np.where(fetched, pixels, urls)

    def ngrams(self, table: pa.Table) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Return the n-grams of all captions, and the row that each stands in."""
        from witbuild.sample.frequency import ngrams
        from witbuild.text.repetition import token_hashes
        from witbuild.text.scan import scan

        found = scan(table["caption"], "witbuild")
        return ngrams(token_hashes(found), found.lasts, self.ngram_size)
