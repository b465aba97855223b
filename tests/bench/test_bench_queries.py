"""From a dump to counts: against wikiextractor and a plain loop, against `Counter`, against bzip2 alone.

Dumps are the sample that ships, 16 times over. The peer is what makes the word lists that everybody uses:
`wikiextractor --no-templates`, whose output a plain loop cuts into words and counts, as
github.com/IlyaSemenov/wikipedia-word-frequency does; here it counts bigrams too. `Counter` gets the text of
`tests/bench/corpora.py`, 240,000 words used as words are used; its counts and ours are compared. Ours are then handed
over as sorted slices of Arrow tables, which is measured by itself.
"""

from __future__ import annotations

import bz2
import re
import subprocess
import sys
from collections import Counter
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.bench.conftest import Bench, Side
from tests.bench.corpora import Corpus
from tests.text import reference_wikitext
from tests.text.test_counting import added_up
from witbuild.sources import corpus
from witbuild.sources.wikipedia import read_pages
from witbuild.text.ngrams import NgramCounter, Round
from witbuild.text.wikitext import Pages, media_names, pack, plain_texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.bench

SAMPLE = resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2"
TIMES = 16
TOKENS = 8_000_000
BATCH_PAGES = 500
SLICES = 64
WORD = re.compile(r"\w+")
NOT_IN_WORDS = re.compile(r"[^\w\-']")
DASHES = str.maketrans("–’", "-'")
Counts = tuple[Counter[str], Counter[tuple[str, str]]]


def articles(path: str) -> list[bytes]:
    return [page.text for page in read_pages(path, Counter()) if not page.redirect]


def count(batches: Iterable[Pages]) -> list[Round]:
    rounds: list[Round] = []
    counter = NgramCounter("witbuild", rounds.append)
    for batch in batches:
        counter.add(batch)
    counter.close()
    return rounds


def hand_over(rounds: list[Round]) -> int:
    """Make the tables that the stage writes; return their bytes."""
    return sum(part.nbytes for found in rounds for part in (*found.words(SLICES), *found.bigrams(SLICES)))


def count_dump(path: str) -> int:
    return hand_over(count(batch.texts for part in corpus.ranges(path) for batch in corpus.read(part, Counter())))


def plain_loop(lines: Iterable[str]) -> Counts:
    """Count the words and bigrams of lines of text, a word at a time."""
    words: Counter[str] = Counter()
    bigrams: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if line.startswith("<"):
            continue
        before = ""
        for token in NOT_IN_WORDS.split(line.translate(DASHES).lower()):
            word = token.strip("-'")
            if word and not any(char.isdigit() for char in word):
                words[word] += 1
                if before:
                    bigrams[before, word] += 1
                before = word
    return words, bigrams


def with_wikiextractor(path: str) -> Counts:
    command = [sys.executable, "-m", "wikiextractor.WikiExtractor", "--no-templates", "-q", "-o", "-", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        return plain_loop(line.decode() for line in process.stdout or ())


def with_counter(texts: list[str]) -> Counts:
    words: Counter[str] = Counter()
    bigrams: Counter[tuple[str, str]] = Counter()
    for text in texts:
        for line in text.split("\n"):
            tokens = WORD.findall(line.lower())
            words.update(tokens)
            bigrams.update(pairwise(tokens))
    return words, bigrams


@pytest.fixture
def dump(tmp_path: Path) -> str:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(SAMPLE.read_bytes() * TIMES)
    return str(path)


def test_dump(bench: Bench, dump: str) -> None:
    pytest.importorskip("wikiextractor")
    packed = SAMPLE.read_bytes() * TIMES
    size = len(bz2.decompress(packed))
    count_dump(dump)
    words, bigrams = with_wikiextractor(dump)
    assert min(words["the"], bigrams["of", "the"]) > 100 * TIMES
    sides = {
        "witbuild": Side(lambda: count_dump(dump), size),
        "bzip2 alone": Side(lambda: bz2.decompress(packed), size),
        "wikiextractor and a plain loop": Side(lambda: with_wikiextractor(dump), size),
    }
    bench.compare("bzip2 to word and bigram counts", "bytes of XML", sides, rounds=3)


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
    made = Corpus.drawn(TOKENS, even=0.0, endings=4)
    pages = list(made.pages())
    batches = [pack(pages[start : start + BATCH_PAGES]) for start in range(0, len(pages), BATCH_PAGES)]
    texts = [page.decode() for page in pages]
    rounds = count(batches)
    words, _, bigrams = added_up(rounds)
    assert (words, bigrams) == with_counter(texts)
    bench.note(f"Of the {TOKENS:,} tokens, {len(words):,} words and {len(bigrams):,} bigrams are different.")
    del words, bigrams
    sides = {
        "witbuild": Side(lambda: count(batches), TOKENS),
        "witbuild, handing over": Side(lambda: hand_over(rounds), TOKENS),
        "Counter": Side(lambda: with_counter(texts), TOKENS),
    }
    bench.compare("text to word and bigram counts", "tokens", sides, rounds=3)
