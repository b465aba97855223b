"""From a dump to counts: cleaning against the plain reference, counting against `Counter`, the whole against bz2.

The dump is the sample that ships, eight times over: distinct bigrams are few and fit into caches, which is kind to
both sides.
"""

from __future__ import annotations

import bz2
from collections import Counter
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.bench.conftest import Bench, Side
from tests.text import reference_wikitext
from witbuild.sources.wikipedia import read_pages
from witbuild.text.ngrams import NgramCounter, Round
from witbuild.text.wikitext import Pages, media_names, pack, plain_texts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.bench

SAMPLE = resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2"
TIMES = 8


def articles(path: str) -> list[bytes]:
    return [page.text for page in read_pages(path, Counter()) if not page.redirect]


def count(texts: Pages) -> list[Round]:
    rounds: list[Round] = []
    counter = NgramCounter("witbuild", rounds.append)
    counter.add(texts)
    counter.close()
    return rounds


def with_counter(lines: list[list[str]]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Count lists of tokens that someone else has cut already."""
    words: Counter[str] = Counter()
    bigrams: Counter[tuple[str, str]] = Counter()
    for line in lines:
        words.update(line)
        bigrams.update(pairwise(line))
    return words, bigrams


def test_dump(bench: Bench, tmp_path: Path) -> None:
    packed = SAMPLE.read_bytes()
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(packed * TIMES)
    size = len(bz2.decompress(packed)) * TIMES
    media = media_names()

    def whole() -> list[Round]:
        return count(plain_texts(pack(articles(str(path))), media))

    whole()
    sides = {
        "witbuild, bzip2 to word and bigram counts": Side(whole, size),
        "bzip2 alone": Side(lambda: bz2.decompress(path.read_bytes()), size),
    }
    bench.compare("dump", "bytes of XML", sides)


def test_clean(bench: Bench) -> None:
    pages = articles(str(SAMPLE))
    media, once = media_names(), sum(map(len, pages))
    texts = [page.decode() for page in pages]
    packed = pack(pages * TIMES)
    plain_texts(packed, media)
    sides = {
        "witbuild": Side(lambda: plain_texts(packed, media), once * TIMES),
        "the reference in Python": Side(lambda: [reference_wikitext.plain_text(text) for text in texts], once),
    }
    bench.compare("wikitext to text", "bytes", sides)


def test_count(bench: Bench) -> None:
    texts = plain_texts(pack(articles(str(SAMPLE)) * TIMES), media_names())
    rounds = count(texts)
    lines = [line.split() for line in texts.data.tobytes().decode().lower().split("\n")]
    tokens = sum(map(len, lines))
    sides = {
        "witbuild, from text": Side(lambda: count(texts), tokens),
        "Counter, from lists of tokens": Side(lambda: with_counter(lines), tokens),
    }
    bench.compare("count words and bigrams", "tokens", sides, rounds=3)
    assert len(rounds) == 1
