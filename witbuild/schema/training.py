"""Samples and their shards, and what training and evaluation measure."""

from __future__ import annotations

import pyarrow as pa

from witbuild.schema.columns import KEY, column

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
