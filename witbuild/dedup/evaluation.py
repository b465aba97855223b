"""Evaluation sets as hashes, and pairs held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.dedup.folding import fold, fold_one
from witbuild.dedup.near import Near
from witbuild.dedup.strings import arrow, hash_strings, strings
from witbuild.schema import KEY, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

EVALUATION = pa.schema(
    [
        column("set", pa.string(), "name of the evaluation set"),
        column("phash", pa.uint64(), "perceptual hash of an image of it; null in the row of a caption", null=True),
        column("caption", pa.uint64(), "hash of a folded caption of it; null in the row of an image", null=True),
        column("words", pa.int32(), "of the caption; 0 in the row of an image"),
    ],
)
CONTAMINATED = pa.schema(
    [
        column("key", KEY, "of the pair"),
        column("set", pa.string(), "evaluation set that has it"),
        column("by", pa.string(), "image | caption"),
    ],
)


class Collected:
    """Hashes of a set, as they are found."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._images: list[int] = []
        self._captions: list[str] = []

    def image(self, phash: int) -> None:
        """Add an image."""
        self._images.append(phash)

    def caption(self, text: str) -> None:
        """Add a caption; one without words is passed over."""
        if folded := fold_one(text):
            self._captions.append(folded)

    def table(self) -> pa.Table:
        """Return a row for each image and caption, in the schema EVALUATION."""
        images, captions = len(self._images), len(self._captions)
        hashes = hash_strings(strings(pa.array(self._captions, pa.large_string())))
        columns = {
            "set": pa.array([self._name] * (images + captions), pa.string()),
            "phash": pa.array([*self._images, *[None] * captions], pa.uint64()),
            "caption": pa.concat_arrays([pa.nulls(images, pa.uint64()), pa.array(hashes, pa.uint64())]),
            "words": pa.array([*[0] * images, *(len(text.split()) for text in self._captions)], pa.int32()),
        }
        return pa.table(columns)


class Found(NamedTuple):
    """Which pairs a set has."""

    name: str
    by: str
    """image or caption."""
    rows: npt.NDArray[np.bool_]


class Evaluation:
    """All sets, ready to be asked; memory is that of their hashes.

    Args:
        table: of EVALUATION.
        hamming: bits in which hashes of one image may differ.
        min_words: shorter captions are passed over.
    """

    def __init__(self, table: pa.Table, *, hamming: int, min_words: int) -> None:
        self._images: dict[str, Near] = {}
        self._captions: dict[str, pa.Array] = {}
        for name in dict.fromkeys(table["set"].to_pylist()):
            rows = table.filter(pc.equal(table["set"], name))
            known = rows["phash"].drop_null().to_numpy()
            self._images[name] = Near(np.unique(known), distance=hamming)
            long = rows.filter(pc.greater_equal(rows["words"], min_words))
            self._captions[name] = long["caption"].drop_null().unique()

    def hold(self, pairs: pa.Table, *, captions: bool) -> list[Found]:
        """Return which of n pairs each set has, by image and by caption, set by set.

        Args:
            pairs: the columns caption and phash; an image without a hash is not found.
            captions: look at captions too.
        """
        seen = pairs["phash"].is_valid().to_numpy()
        hashes = pairs["phash"].fill_null(0).to_numpy()
        texts = pa.array(hash_strings(strings(arrow(fold(pairs["caption"])))))
        out = []
        for name, near in self._images.items():
            out.append(Found(name, "image", seen & (near.nearest(hashes) >= 0)))
            if captions:
                equal = np.asarray(pc.is_in(texts, value_set=self._captions[name]), np.bool_)
                out.append(Found(name, "caption", equal))
        return out


def contaminated(keys: pa.ChunkedArray, found: Sequence[Found]) -> pa.Table:
    """Return a row for each pair, set and way in which the set has it, in the schema CONTAMINATED."""
    tables = [CONTAMINATED.empty_table()]
    for one in found:
        mine = keys.filter(pa.array(one.rows))
        columns = [mine.combine_chunks(), pa.array([one.name] * len(mine)), pa.array([one.by] * len(mine))]
        tables.append(pa.table([column.cast(pa.string()) for column in columns], schema=CONTAMINATED))
    return pa.concat_tables(tables).sort_by([("key", "ascending"), ("set", "ascending"), ("by", "ascending")])


def first_reasons(found: Sequence[Found], rows: int) -> pa.Array:
    """Return for each pair the reason of its drop, `eval_SET_image` or `eval_SET_caption`; null: no set has it."""
    out = np.full(rows, None, object)
    for one in reversed(found):
        out[one.rows] = f"eval_{one.name}_{one.by}"
    return pa.array(out, pa.string())
