"""Pairs, and what is told of them beside: fetches, visits, drops, how often what occurs."""

from __future__ import annotations

import pyarrow as pa

from witbuild.schema.columns import KEY, column

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
        column("carried", pa.string(), "columns of a list that `carry` asks for, as a JSON object", null=True),
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
        column("pixel_sha256", pa.string(), "sha256 of size and values of the encoded pixels, hex", null=True),
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

TOMBSTONES = pa.schema(
    [
        column("kind", pa.string(), "key | url | host | sha256 | phash"),
        column("value", pa.string(), "what must not come back: canonical URL, host with all below it, hex digits"),
        column("distance", pa.int8(), "bits in which a perceptual hash may differ; 0 for the other kinds"),
        column("request", pa.string(), "as it was asked for; a hash that came with a URL or host names those"),
    ],
)
