"""The tables of dedup: bands, candidates, edges, clusters."""

from __future__ import annotations

import pyarrow as pa

from witbuild.schema.columns import KEY, column

BANDS = pa.schema(
    [
        column(
            "band", pa.uint64(), "hash of a band of the caption's signature, of a URL, or of blocks of an image hash"
        ),
        column("node", pa.uint64(), "hash of what the scope looks at; pairs of one node are duplicates of each other"),
        column(
            "part", pa.int32(), "address of a pair of the node: its part (-1 - i: part i of what is held against) ..."
        ),
        column("row", pa.int32(), "... and its row there; -1 - row in the first of the node's bands"),
    ],
)

REPEATS = pa.schema(
    [column("row", pa.int32(), "in its part, of a pair whose node another pair of the part has too; ascending")],
)

CANDIDATES = pa.schema(
    [
        column("part", pa.int32(), "address of a pair that shares its node or a band with another: its part ..."),
        column("row", pa.int32(), "... and its row there; the candidate lies in slice part modulo slices"),
        column("band", pa.uint64(), "shared with a pair of another node; null: another part has the node", null=True),
    ],
)

RECORDS = pa.schema(
    [
        column("band", pa.uint64(), "that the record shares with another; gives the slice"),
        column("node", pa.uint64(), "hash of what the scope looks at"),
        column("url", pa.uint64(), "hash of the canonical URL; 0 when the scope does not look at it"),
        column("image", pa.uint64(), "the image's hash; null: not known, or not looked at", null=True),
        column("text", pa.string(), "the folded caption; null: not looked at", null=True),
        column("vector", pa.binary(), "the image's embedding; null: not known, or not looked at", null=True),
    ],
)

EDGES = pa.schema(
    [
        column("node", pa.uint64(), "one end; the row lies in this node's slice"),
        column("other", pa.uint64(), "the other end; when settled, the smallest node of the cluster"),
        column("turn", pa.int8(), "what the next round does: 0 large-star, 1 small-star"),
    ],
)

EMBEDDINGS = pa.schema(
    [
        column("key", KEY, "of the pair in the same place of the same part of the pairs"),
        column(
            "vector",
            pa.binary(),
            "what a model sees in the image: signed bytes, the largest 127; null: no image",
            null=True,
        ),
    ],
)

CENTRES = pa.schema(
    [
        column("rows", pa.int64(), "pairs of the part that have an embedding"),
        column("sum", pa.list_(pa.int64()), "of their embeddings made 1,024 long; empty when there is none"),
    ],
)

_MEMBER = [
    column("part", pa.int32(), "address of the pair: its part (-1 - i: part i of what is held against) ..."),
    column("row", pa.int32(), "... and its row there"),
    column("area", pa.int64(), "pixels of the image as served, or as declared; 0: not known"),
    column("caption_length", pa.int32(), "characters of the caption"),
    column("key_high", pa.uint64(), "first half of the pair's key"),
    column("key_low", pa.uint64(), "second half of the pair's key"),
    column("origin", pa.uint64(), "hash of where the pair was found; tells pairs of one key apart"),
    column("url", pa.uint64(), "hash of the canonical URL; 0 when the scope does not look at it"),
]

MEMBERS = pa.schema([column("node", pa.uint64(), "hash of what the scope looks at; gives the slice"), *_MEMBER])

CLUSTERS = pa.schema([column("root", pa.uint64(), "smallest node of the cluster; gives the slice"), *_MEMBER])

GROUPS = pa.schema(
    [
        column("part", pa.int32(), "address of the pair: its part, which gives the slice (part modulo slices) ..."),
        column("row", pa.int32(), "... and its row there"),
        column("root", pa.uint64(), "names the cluster of near-duplicate images that it belongs to"),
    ],
)
