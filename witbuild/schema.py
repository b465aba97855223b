"""Every table that passes between stages; the comment of each column is the specification.

    queries ──┐
    pairs  ───┴─> pairs ─> ... ─> pairs ─> samples ─> shards ──> model ──> scores
                   │ fetch also writes:  fetches (one row for every input), images (tars of re-encoded bytes)
                   ├ dedup passes:    bands, edges, members, clusters, drops      (sliced tables)
                   └ balance passes:  counts, charges, coins (sliced), cuts, curve (bounded by the query list)

Stages three to seven all read and write *pairs*, one fixed schema, so that a recipe may order them freely: a null
means "not known yet". A column's comment is also written into the parquet file, as field metadata ``comment``.

A *sliced* table has one row group a slice: row group ``i`` of every part holds the rows of slice ``i``, so that a
reduce task reads its slice from every part without a shuffle service.
"""

from __future__ import annotations

import pyarrow as pa

KEY = pa.string()
"""A key: 32 lower-case hexadecimal digits, the 128-bit hash of (url, caption)."""


def column(name: str, kind: pa.DataType, comment: str, *, null: bool = False) -> pa.Field:
    """Return a field whose comment travels with it.

    Example:
        >>> column("key", KEY, "who").metadata
        {b'comment': b'who'}
    """
    return pa.field(name, kind, nullable=null, metadata={"comment": comment})


QUERIES = pa.schema(
    [
        column("query_id", pa.int32(), "0, 1, 2, ... in rank order; what query_ids of a pair refer to"),
        column("query", pa.string(), "the text as `match` looks for it: normalised by witbuild.text.normalise"),
        column("source", pa.string(), "word | bigram | title | synset | number | list"),
        column("count", pa.int64(), "occurrences in the corpus; views for a title; 0 for a synset", null=True),
        column("score", pa.float64(), "what the source ranks by: count, PMI, views; null for a synset", null=True),
        column("rank", pa.int32(), "place within its source, from 0"),
    ],
)

CORPUS = pa.schema(
    [
        column("file", pa.string(), "name of the file, without its folder"),
        column("kind", pa.string(), "dump | cirrus | parquet | words: witbuild.sources.corpus, or ready counts"),
        column("start", pa.int64(), "where the range of the file that was read begins: byte, in parquet row group"),
        column("pages", pa.int64(), "articles counted; 0 in a word list"),
        column("words", pa.int64(), "words counted, repeats included: N of the PMI"),
    ],
)

WORD_COUNTS = pa.schema(
    [
        column("hash", pa.uint64(), "of the word's bytes: witbuild.text.counting.hash_bytes"),
        column("word", pa.string(), "a token that counts as a word: witbuild.text.words"),
        column("count", pa.int64(), "occurrences"),
        column("pages", pa.int64(), "articles that it occurs in; 0 from a word list, which does not say"),
    ],
)
"""Sliced by hash; also the schema of the side file `words`, in rounds (witbuild.io.runs)."""

BIGRAM_RUNS = pa.schema(
    [
        column("first", pa.uint64(), "hash of the first word"),
        column("second", pa.uint64(), "hash of the second word"),
        column("count", pa.int64(), "occurrences"),
    ],
)
"""Of the side file `bigrams`, in rounds."""

BIGRAM_COUNTS = pa.schema(
    [
        column("bigram", pa.string(), "two words that stand next to each other, one space between them"),
        column("count", pa.int64(), "occurrences"),
        column("pmi", pa.float64(), "pointwise mutual information of the two words, bits"),
    ],
)

REDIRECTS = pa.schema(
    [
        column("title", pa.string(), "of the redirect"),
        column("target", pa.string(), "title of the article that it leads to"),
    ],
)
"""Of the side file `redirects`, in rounds, sliced by title."""

TITLE_VIEWS = pa.schema(
    [
        column("title", pa.string(), "of the article, spaces for underscores"),
        column("views", pa.int64(), "how often it was looked at"),
    ],
)
"""Sliced by title; also the schema of the side file `views`, in rounds."""

VIEW_FILES = pa.schema(
    [
        column("file", pa.string(), "name of the page view file"),
        column("views", pa.int64(), "in it, of articles of the wiki that was asked for"),
    ],
)

PAIRS = pa.schema(
    [
        column(
            "key",
            KEY,
            "128-bit hash of (url, caption) in hex; identity of the pair and stem of its tar members",
        ),
        column("url", pa.string(), "absolute URL of the image, as found and resolved; never rewritten later"),
        column("caption", pa.string(), "the text, whitespace collapsed, at most 2,000 characters"),
        column(
            "caption_source",
            pa.string(),
            "alt | title | figcaption | og | jsonld | api | list | folder | sitemap",
        ),
        column("page_url", pa.string(), "page where the pair was found", null=True),
        column("source", pa.string(), "kind of source: wat | warc | list | html | site | commons | openverse | folder"),
        column("source_file", pa.string(), "archive, list or API that the pair came from", null=True),
        column(
            "source_offset",
            pa.int64(),
            "byte offset of the page's record, or row number in a list",
            null=True,
        ),
        column("source_length", pa.int64(), "byte length of the page's record", null=True),
        column("licence", pa.string(), "licence evidence as found: a URL or a short name", null=True),
        column("attribution", pa.string(), "whom to name, in the source's own words: creator, credit line", null=True),
        column(
            "opt_out",
            pa.string(),
            "opt-out signals as found, comma separated: noai, noimageindex, ...",
            null=True,
        ),
        column("language", pa.string(), "BCP 47 language of the caption, as a list says or as identified", null=True),
        column("page_language", pa.string(), "BCP 47 language that the page declares, often wrongly", null=True),
        column(
            "width",
            pa.int32(),
            "pixels; declared by the source until fetched, then of the stored image",
            null=True,
        ),
        column("height", pa.int32(), "pixels; as width", null=True),
        column("expected_sha256", pa.string(), "hash of the original bytes that a list carries, hex", null=True),
        column("expected_md5", pa.string(), "hash of the original bytes that a list carries, hex", null=True),
        column(
            "clip_score",
            pa.float32(),
            "cosine of a CLIP's features of image and caption, as a list says or as `score` finds, as those below",
            null=True,
        ),
        column("unsafe_score", pa.float32(), "how sure a classifier is that the image is not safe, 0 to 1", null=True),
        column("watermark_score", pa.float32(), "how sure a classifier is of a watermark, 0 to 1", null=True),
        column("aesthetic_score", pa.float32(), "how good the image looks, mostly 1 to 10", null=True),
        column("face_score", pa.float32(), "how sure a detector is of a face, 0 to 1", null=True),
        column(
            "query_ids",
            pa.list_(pa.int32()),
            "matched queries, ascending, no repeats; null: not matched yet",
            null=True,
        ),
        column("image_part", pa.int32(), "index of the images part that holds the stored bytes", null=True),
        column("image_offset", pa.int64(), "byte offset of the stored image in that part", null=True),
        column("image_bytes", pa.int32(), "byte length of the stored image", null=True),
        column("image_format", pa.string(), "jpg | png | webp: the tar member's extension", null=True),
        column("original_width", pa.int32(), "pixels of the image as served, after EXIF orientation", null=True),
        column("original_height", pa.int32(), "pixels of the image as served, after EXIF orientation", null=True),
        column("original_bytes", pa.int64(), "byte length of the body as served", null=True),
        column("original_format", pa.string(), "jpg | png | webp | gif | avif: what the body as served is", null=True),
        column("original_sha256", pa.string(), "sha256 of the body as served, hex", null=True),
        column("pixel_sha256", pa.string(), "sha256 of the stored image's decoded RGB pixels, hex", null=True),
        column("phash", pa.uint64(), "64-bit perceptual hash of the stored image", null=True),
    ],
)

FETCHES = pa.schema(
    [
        column("key", KEY, "of the pair"),
        column("url", pa.string(), "asked for"),
        column("status", pa.string(), "ok, or the reason of the drop"),
        column("http_status", pa.int32(), "last HTTP status", null=True),
        column("final_url", pa.string(), "after redirects", null=True),
        column("detail", pa.string(), "the error's own words", null=True),
        column("mime", pa.string(), "Content-Type as served", null=True),
        column("etag", pa.string(), "ETag as served", null=True),
        column("last_modified", pa.string(), "Last-Modified as served", null=True),
        column("licence", pa.string(), "licence that a Link header names", null=True),
        column(
            "signals",
            pa.string(),
            "rights signals seen: X-Robots-Tag, tdm-reservation, ..., comma separated",
            null=True,
        ),
    ],
)

VISITS = pa.schema(
    [
        column("url", pa.string(), "asked for, without its fragment; each once"),
        column("started", pa.timestamp("ms", "UTC"), "when its first request went out; null: none did", null=True),
        column("seconds", pa.float64(), "on the wire, redirects and further attempts included"),
        column("status", pa.string(), "ok, or why there is no image"),
        column("signals", pa.string(), "rights signals seen then, comma separated", null=True),
    ],
)
"""When each URL was asked for: the one table of fetch that is another in every run."""

QUARANTINE = pa.schema(
    [
        column("url", pa.string(), "asked for, without its fragment; each once"),
        column("reason", pa.string(), "image_crash | image_timeout | image_memory"),
        column("detail", pa.string(), "how the decoder ended", null=True),
        column("body_sha256", pa.string(), "of the body, hex"),
        column("body", pa.binary(), "as served; null beyond 100 MB a table", null=True),
    ],
)
"""Bodies that broke their decoder."""

COUNTS = pa.schema(
    [
        column("query_id", pa.int32(), "of the query"),
        column("count", pa.int64(), "pairs that match it"),
    ],
)

COINS = pa.schema(
    [
        column(
            "coin", pa.uint64(), "keyed hash of (seed, key) and, where the pair is charged to one query, of its text"
        ),
        column("query_ids", pa.list_(pa.int32()), "queries over the limit that the coin is thrown for, ascending"),
    ],
)

CUTS = pa.schema(
    [
        column("query_id", pa.int32(), "of a query that a pair matches"),
        column("count", pa.int64(), "pairs that match it"),
        column("charged", pa.int64(), "pairs charged to it: it is the rarest query that they match"),
        column("cut", pa.uint64(), "coins below it are kept; null: all are", null=True),
    ],
)

CURVE = pa.schema(
    [
        column("query_id", pa.int32(), "of a query that a pair matched before balancing"),
        column("before", pa.int64(), "pairs that matched it before"),
        column("charged", pa.int64(), "pairs charged to it before: it was the rarest query that they matched"),
        column("quota", pa.int64(), "pairs that a quota lets it keep: its charged pairs, at most the limit"),
        column("after", pa.int64(), "pairs that match it in the result"),
    ],
)

DROPS = pa.schema(
    [
        column("part", pa.int32(), "address of the dropped pair: its part ..."),
        column("row", pa.int32(), "... and its row there; the drop lies in slice part modulo slices"),
        column("reason", pa.string(), "of the drop"),
    ],
)

OCCURRENCES = pa.schema(
    [
        column("kind", pa.int8(), "what is counted: 0 a caption, 1 an image, 2 a word or bigram of captions"),
        column("thing", pa.uint64(), "hash of what is counted; gives the slice"),
        column("other", pa.uint64(), "of a caption its image, of an image its caption, of a word 0"),
        column("part", pa.int32(), "of the pairs, where it occurs"),
        column("count", pa.int64(), "pairs of the part with it; of a word, its occurrences"),
    ],
)

LEVELS = pa.schema(
    [
        column("count", pa.int64(), "occurrences"),
        column("ngrams", pa.int64(), "words and bigrams that occur so often"),
    ],
)

FLAGS = pa.schema(
    [
        column("part", pa.int32(), "of the pairs; the flag lies in slice part modulo slices"),
        column("reason", pa.string(), "why a pair with the thing is dropped"),
        column("thing", pa.uint64(), "hash of the caption, image, word or bigram"),
    ],
)

BANDS = pa.schema(
    [
        column(
            "band", pa.uint64(), "hash of a band of the caption's signature, of a URL, or of blocks of an image hash"
        ),
        column("node", pa.uint64(), "hash of what the scope looks at; pairs of one node are duplicates of each other"),
        column(
            "part", pa.int32(), "address of a pair of the node: its part (-1 - i: part i of what is held against) ..."
        ),
        column("row", pa.int32(), "... and its row there"),
    ],
)

CANDIDATES = pa.schema(
    [
        column("part", pa.int32(), "address of a pair that shares a band with another node's: its part ..."),
        column("row", pa.int32(), "... and its row there; the candidate lies in slice part modulo slices"),
        column("band", pa.uint64(), "that they share"),
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

TOMBSTONES = pa.schema(
    [
        column("kind", pa.string(), "key | url | host | sha256 | phash"),
        column("value", pa.string(), "what must not come back: canonical URL, host with all below it, hex digits"),
        column("distance", pa.int8(), "bits in which a perceptual hash may differ; 0 for the other kinds"),
        column("request", pa.string(), "as it was asked for; a hash that came with a URL or host names those"),
    ],
)

SCORES = pa.schema(
    [
        column("task", pa.string(), "labelled set, set/label set, or retrieval direction"),
        column("metric", pa.string(), "accuracy | recall@1 | chance | linear probe | 4-shot | ..."),
        column("value", pa.float64(), "0 to 1; a difference of such; or a probe's lambda"),
        column("samples", pa.int64(), "how many it was measured on"),
        column("group", pa.string(), "column=value: of these samples only; empty: of all"),
        column("deviation", pa.float64(), "standard deviation over draws; null: measured once", null=True),
    ],
)

METRICS = pa.schema(
    [
        column("step", pa.int64(), "optimiser steps done"),
        column("samples_seen", pa.int64(), "samples so far"),
        column("loss", pa.float64(), "of the objective, nats"),
        column("scale", pa.float64(), "exp of the logit scale, for an objective that has one", null=True),
        column("learning_rate", pa.float64(), "at this step"),
        column("gradient_norm", pa.float64(), "Euclidean norm of the gradient, before it is clipped"),
    ],
)

CURVES = pa.schema(
    [
        column("arm", pa.string(), "what is compared, as the recipe names it"),
        column("objective", pa.string(), "of the training"),
        column("model", pa.string(), "of the training"),
        column("seed", pa.int64(), "of the training"),
        column("step", pa.int64(), "optimiser steps done"),
        column("samples_seen", pa.int64(), "samples so far"),
        column("seconds", pa.float64(), "CPU seconds of training so far, measuring left out"),
        column("loss", pa.float64(), "of the objective, nats"),
        column("accuracy", pa.float64(), "zero-shot, 0 to 1"),
    ],
)

SAMPLES = pa.schema(
    [
        column("key", KEY, "of the pair"),
        column("coin", pa.uint64(), "place in the global order: samples are sorted by (coin, key)"),
        column("image_part", pa.int32(), "index of the images part that holds the stored bytes"),
        column("image_offset", pa.int64(), "byte offset of the stored image in that part"),
        column("image_bytes", pa.int32(), "byte length of the stored image"),
        column("image_format", pa.string(), "jpg | png | webp: the tar member's extension"),
        column("caption", pa.string(), "content of the member .txt"),
        column("record", pa.string(), "content of the member .json: a row of witbuild.sample.record.RECORD"),
        column("tar_bytes", pa.int64(), "that the sample's members take in a tar, headers and padding included"),
    ],
)

SHARDS = pa.schema(
    [
        column("shard", pa.string(), "file name of the tar"),
        column("split", pa.string(), "train | val"),
        column("samples", pa.int64(), "in it"),
        column("bytes", pa.int64(), "of the tar"),
        column("sha256", pa.string(), "of the tar, hex"),
    ],
)

TABLES: dict[str, pa.Schema] = {
    "corpus": CORPUS,
    "word_counts": WORD_COUNTS,
    "bigram_counts": BIGRAM_COUNTS,
    "view_files": VIEW_FILES,
    "title_views": TITLE_VIEWS,
    "queries": QUERIES,
    "pairs": PAIRS,
    "fetches": FETCHES,
    "visits": VISITS,
    "quarantine": QUARANTINE,
    "counts": COUNTS,
    "charges": COUNTS,
    "coins": COINS,
    "cuts": CUTS,
    "curve": CURVE,
    "drops": DROPS,
    "occurrences": OCCURRENCES,
    "levels": LEVELS,
    "flags": FLAGS,
    "bands": BANDS,
    "candidates": CANDIDATES,
    "records": RECORDS,
    "edges": EDGES,
    "embeddings": EMBEDDINGS,
    "centres": CENTRES,
    "members": MEMBERS,
    "clusters": CLUSTERS,
    "groups": GROUPS,
    "samples": SAMPLES,
    "shards": SHARDS,
    "metrics": METRICS,
    "scores": SCORES,
    "curves": CURVES,
    "tombstones": TOMBSTONES,
}
"""Name of a table -> its schema."""
