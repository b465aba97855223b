"""The tables of the query list."""

from __future__ import annotations

import pyarrow as pa

from witbuild.schema.columns import column

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
