"""Dedup of a file of captions, one a line, by a peer: run by the peer's own interpreter, as it may need other versions.

Each has 9 bands of 13 places over the words and pairs of words of a caption, or pairs alone where it knows runs of one
length only, and stops at clusters or flags. Prints the CPU seconds without imports and reading, and the captions found.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

BANDS, ROWS = 9, 13


def by_rensa(captions: list[str]) -> int:
    """Shingle in Python, as its users do; flags of captions that share a band, not verified."""
    import rensa

    sets = []
    for caption in captions:
        words = caption.split()
        sets.append([*words, *map(" ".join, pairwise(words))])
    matrix = rensa.RMinHash.digest_matrix_from_token_sets(sets, BANDS * ROWS, 1)
    return sum(rensa.RMinHashLSH(0.8, BANDS * ROWS, BANDS).query_duplicate_flags_matrix_one_shot(matrix))


def by_text_dedup(captions: list[str]) -> int:
    """Do what its command does between loading and filtering, without the data set around it; pairs of words."""
    import numpy as np
    from text_dedup.minhash import SIGNATURE_COLUMN, embed_func
    from text_dedup.utils import UnionFind, xxh3_32hash

    top, prime = np.uint32((1 << 32) - 1), np.uint32((1 << 32) - 5)
    random = np.random.RandomState(42)
    shape = (BANDS * ROWS,)
    drawn = random.randint(1, prime, shape, dtype=np.uint32), random.randint(0, prime, shape, dtype=np.uint32)
    tables: list[dict[bytes, int]] = [{} for _ in range(BANDS)]
    forest = UnionFind()
    for number, caption in enumerate(captions):
        made = embed_func(
            caption, number, num_perm=BANDS * ROWS, ngram_size=2, min_length=0, permutations=drawn, dtype=np.uint32,
            hashranges=[(i * ROWS, (i + 1) * ROWS) for i in range(BANDS)], hash_func=xxh3_32hash, max_hash=top,
            modulo_prime=prime,
        )  # fmt: skip
        for table, key in zip(tables, made[SIGNATURE_COLUMN], strict=True):
            forest.union(number, table.setdefault(key, number))
    return sum(forest.find(number) != number for number in range(len(captions)))


def by_datatrove(captions: list[str]) -> int:
    """Run its stages 1 to 3 on a disk; pairs of words, split at spaces: its default, spaCy, takes 4 times as long."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.text import TextNormConfig
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Spaces(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        sent_tokenize = span_tokenize = word_tokenize

    config = MinhashConfig(
        n_grams=2, num_buckets=BANDS, hashes_per_bucket=ROWS, hash_config=HashConfig(precision=64),
        norm_config=TextNormConfig(norm_numbers=False),
    )  # fmt: skip
    documents = [Document(text=caption, id=str(number)) for number, caption in enumerate(captions)]
    with tempfile.TemporaryDirectory() as folder:
        MinhashDedupSignature(f"{folder}/1", config, language=Spaces()).run(documents, 0, 1)
        for rank in range(BANDS):
            MinhashDedupBuckets(f"{folder}/1", f"{folder}/2", config=config).run(None, rank, BANDS)
        last = MinhashDedupCluster(f"{folder}/2", f"{folder}/3", config=config)
        last.run(None, 0, 1)
        return int(last.stats.stats["to_remove"].total)


PEERS = {"rensa": by_rensa, "text-dedup": by_text_dedup, "datatrove": by_datatrove}

if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    name, path = sys.argv[1:]
    texts = Path(path).read_text().splitlines()
    PEERS[name](texts[:10])  # imports
    started = time.process_time()
    found = PEERS[name](texts)
    print(json.dumps({"seconds": time.process_time() - started, "found": found}))
