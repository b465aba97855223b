"""Nodes: what a scope looks at in each pair, hashed; their bands; and the links between those of a slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from witbuild.dedup.clusters import Edges
from witbuild.dedup.digits import number_hashes
from witbuild.dedup.folding import fold
from witbuild.dedup.hamming import table_keys
from witbuild.dedup.join import link
from witbuild.dedup.minhash import text_band_keys
from witbuild.dedup.repeats import distinct, shared
from witbuild.dedup.shingles import shingle
from witbuild.dedup.strings import arrow, hash_strings, strings
from witbuild.dedup.vectors import from_column, plane_keys, squares
from witbuild.dedup.verify import Records
from witbuild.sample.coins import mix

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from witbuild.dedup.join import Bands
    from witbuild.dedup.shingles import Unit
    from witbuild.dedup.vectors import Planes
    from witbuild.dedup.verify import Rule

_URL = np.uint64(0x0DDB1A5E5BAD5EED)
"""Keeps bands of URLs apart from bands of image hashes."""


@dataclass(frozen=True)
class Evidence:
    """What a scope looks at in n pairs; what it does not look at is zero, unseen or null."""

    node: npt.NDArray[np.uint64]
    """uint64 of shape (n,): hash of all the rest."""
    url: npt.NDArray[np.uint64]
    """uint64 of shape (n,): hash of the canonical URL."""
    image: npt.NDArray[np.uint64]
    """uint64 of shape (n,): the image's hash."""
    seen: npt.NDArray[np.bool_]
    """bool of shape (n,): whether the image's hash is known."""
    text: pa.Array
    """large_string of length n: the folded caption."""
    vector: pa.Array
    """binary of length n: the image's vector, by witbuild.dedup.vectors."""

    def take(self, rows: npt.NDArray[np.int64]) -> Evidence:
        """Return some rows."""
        text, vector = (column.take(pa.array(rows)) for column in (self.text, self.vector))
        return Evidence(self.node[rows], self.url[rows], self.image[rows], self.seen[rows], text, vector)

    def columns(self) -> dict[str, Any]:
        """Return the columns that a table of records has of it."""
        image = pa.array(self.image, mask=~self.seen)
        return {"node": self.node, "url": self.url, "image": image, "text": self.text, "vector": self.vector}


def evidence(
    table: pa.Table, looks_at: frozenset[str], image_hash: str, canonical: Callable[[pa.Array], pa.Array]
) -> Evidence:
    """Return what a scope looks at in each pair of a table.

    Args:
        table: pairs, of the columns that the scope looks at at least: caption, url, phash or pixel_sha256 or vector.
        looks_at: some of caption, url, image; an image is also told by its URL.
        image_hash: phash, pixels for the sha256 of the pixels, or embedding for that of the vector.
        canonical: URLs -> the forms in which equal URLs are equal.
    """
    n = table.num_rows
    text = arrow(fold(table["caption"])) if "caption" in looks_at else pa.nulls(n, pa.large_string())
    url, image, seen = np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.bool_)
    if looks_at & {"url", "image"}:
        url = url_hashes(table["url"], canonical)
    if "image" in looks_at:
        image, seen = _image_hashes(table, image_hash)
    parts = (hash_strings(strings(text)), url, image, seen.astype(np.uint64))
    vector = table["vector"].combine_chunks() if image_hash == "embedding" else pa.nulls(n, pa.binary())
    return Evidence(_combined(*parts), url, image, seen, text, vector)


def _combined(*parts: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return one hash of several numbers, row by row."""
    out = np.zeros(parts[0].size, np.uint64)
    for part in parts:
        out = mix(out + np.uint64(0x9E3779B97F4A7C15) ^ part)
    return out


def url_hashes(urls: pa.ChunkedArray, canonical: Callable[[pa.Array], pa.Array]) -> npt.NDArray[np.uint64]:
    """Return the hash of each URL's canonical form, uint64 of shape (n,); each distinct URL is read once."""
    coded = urls.combine_chunks().dictionary_encode()
    return hash_strings(strings(canonical(coded.dictionary)))[coded.indices.to_numpy()]


def _image_hashes(table: pa.Table, image_hash: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    column = table[{"phash": "phash", "pixels": "pixel_sha256", "embedding": "vector"}[image_hash]].combine_chunks()
    seen = column.is_valid().to_numpy(zero_copy_only=False)
    hashes = column.fill_null(0).to_numpy() if image_hash == "phash" else hash_strings(strings(column))
    return np.where(seen, hashes, np.uint64(0)), seen


def caption_bands(
    found: Evidence, unit: Unit, size: int, cut: Bands
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the MinHash bands of each row's caption: keys, and the row each belongs to."""
    texts = strings(found.text)
    keys = text_band_keys(texts, unit, size, cut.order, (cut.bands, cut.rows))
    if cut.numbers:
        keys ^= mix(number_hashes(texts))[:, None]  # captions with other numbers are never alike
    return keys.ravel(), np.repeat(np.arange(keys.shape[0], dtype=np.int32), keys.shape[1])


def place_bands(found: Evidence, distance: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return a band of each row's URL, and of each table of its image hash when `distance` is not -1."""
    rows = np.arange(found.node.size)
    if distance < 0:
        return mix(found.url ^ _URL), rows
    seen = np.flatnonzero(found.seen)
    keys = table_keys(found.image[seen], distance)
    bands = np.concatenate((mix(found.url ^ _URL), keys.ravel()))
    return bands, np.concatenate((rows, np.repeat(seen, keys.shape[1])))


def vector_bands(found: Evidence, cut: Planes) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return a band of each row's URL, and of each table of its vector where it is known."""
    vectors, seen = from_column(found.vector)
    rows, known = np.arange(found.node.size), np.flatnonzero(seen)
    keys = plane_keys(vectors[known], cut)
    bands = np.concatenate((mix(found.url ^ _URL), keys.ravel()))
    return bands, np.concatenate((rows, np.repeat(known, keys.shape[1])))


def linked(table: pa.Table, unit: Unit, size: int, rule: Rule, cut: Bands) -> Edges:
    """Return the links between the nodes of a table of records: each node with the smallest that it is linked to."""
    rows = shared(table["band"].to_numpy())
    if rows.size < table.num_rows:
        table = table.take(pa.array(np.sort(rows)))
    nodes, first, members = distinct(table["node"].to_numpy())
    one = table.take(pa.array(first))
    image = one["image"].combine_chunks()
    texts = strings(one["text"])
    sets = shingle(texts, unit, size)
    numbers = number_hashes(texts) if cut.numbers else np.zeros(nodes.size, np.uint64)
    seen = image.is_valid().to_numpy(zero_copy_only=False)
    vectors, _ = from_column(one["vector"]) if rule.cosine else (np.zeros((0, 0), np.int8), None)
    images = image.fill_null(0).to_numpy()
    records = Records(one["url"].to_numpy(), images, seen, *sets, numbers, vectors, squares(vectors))
    roots = link(table["band"].to_numpy(), members, records, rule, cut)
    tied = np.flatnonzero(roots != np.arange(roots.size))
    return Edges(nodes[tied], nodes[roots[tied]])
