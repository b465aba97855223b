"""Counts are exact, whatever the size of the table; the reference is `collections.Counter`."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.text import counting, ngrams
from witbuild.text.hashing import bigram_slices_of, hash_texts, slices_of
from witbuild.text.ngrams import NgramCounter, Round
from witbuild.text.sums import PairSums
from witbuild.text.tokens import SEMANTICS
from witbuild.text.wikitext import pack
from witbuild.text.words import is_word, line_tokens, scan_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from witbuild.text.tokens import Semantics

Bigram = tuple[str, str]
PIECES = (
    "dog",
    "Dog's",
    "café",
    "re-do",
    "3d",
    "½",
    "straße",
    "ΣΊΣΥΦΟΣ",
    "東京",
    "e\u0301",
    "-x",
    " ",
    " ",
    "\n",
    ".",
    "’",
)
TO_LETTERS = str.maketrans("0123456789", "ghijklmnop")
pages_of_text = st.lists(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), min_size=1, max_size=8)


def reference(pages: Iterable[str], semantics: Semantics) -> tuple[Counter[str], Counter[str], Counter[Bigram]]:
    """Count words, the pages of each word, and bigrams, as anyone would."""
    words: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    bigrams: Counter[Bigram] = Counter()
    for page in pages:
        lines = [line_tokens(line, semantics) for line in page.split("\n")]
        found = [token for line in lines for token in line if is_word(token, semantics)]
        words.update(found)
        spread.update(set(found))
        for line in lines:
            bigrams.update(
                pair for pair in pairwise(line) if is_word(pair[0], semantics) and is_word(pair[1], semantics)
            )
    return words, spread, bigrams


def added_up(rounds: Iterable[Round]) -> tuple[Counter[str], Counter[str], Counter[Bigram]]:
    words: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    bigrams: Counter[Bigram] = Counter()
    for found in rounds:
        name = {}
        for row in pa.concat_tables(found.words(slices=3)).to_pylist():
            words[row["word"]] += row["count"]
            spread[row["word"]] += row["pages"]
            name[row["hash"]] = row["word"]
        for row in (row for part in found.bigrams(slices=3) for row in part.to_pylist()):
            bigrams[name[row["first"]], name[row["second"]]] += row["count"]
    return words, spread, bigrams


def counted(pages: list[str], semantics: Semantics, *, batch: int = 3, slots: int = ngrams.LARGE) -> list[Round]:
    rounds: list[Round] = []
    counter = NgramCounter(semantics, rounds.append, slots=slots)
    for start in range(0, len(pages), batch):
        counter.add(pack([f"{page}\n".encode() for page in pages[start : start + batch]]))
    counter.close()
    assert counter.tokens == sum(reference(pages, semantics)[0].values())
    return rounds


@pytest.mark.parametrize("semantics", SEMANTICS)
@given(pages=pages_of_text)
@settings(max_examples=60)
def test_counts_agree_with_counter(semantics: Semantics, pages: list[str]) -> None:
    assert added_up(counted(pages, semantics)) == reference(pages, semantics)


@given(pages=st.lists(st.text(alphabet="abcdefg hi\n", max_size=60), min_size=1, max_size=12))
@settings(max_examples=60)
def test_counts_are_the_same_when_the_table_is_full_all_the_time(pages: list[str]) -> None:
    rounds = counted(pages, "witbuild", batch=5, slots=128)
    assert added_up(rounds) == reference(pages, "witbuild")


def test_a_full_table_is_handed_over_and_begun_anew() -> None:
    pages = [" ".join(f"{letter}{number:c}" for number in range(97, 117)) for letter in "abcdefgh"]
    assert len(counted(pages, "witbuild", slots=128)) > 4
    assert len(counted(pages, "witbuild")) == 1


def test_a_table_grows_and_keeps_what_it_holds() -> None:
    pages = [" ".join(f"{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)}" for i in range(9000))] * 8
    assert added_up(counted(pages, "witbuild", batch=1)) == reference(pages, "witbuild")


def test_a_table_grows_to_its_slots_and_no_further() -> None:
    pages = [f"{word} is {word}" for word in sorted({f"{i:x}".translate(TO_LETTERS) for i in range(40_000)})]
    rounds = counted(pages, "witbuild", batch=500, slots=1 << 17)
    assert len(rounds) > 1
    assert added_up(rounds) == reference(pages, "witbuild")


@pytest.mark.parametrize("last", ["z", "é"])
def test_words_that_differ_in_one_letter_are_different(last: str) -> None:
    words = [
        f"{'a' * before}{letter}{'b' * after}" for before in range(18) for after in range(9) for letter in "x" + last
    ]
    for after in range(2):  # the last word of all has no eight bytes to be read behind it
        pages = [" ".join(words[: len(words) - after])]
        assert added_up(counted(pages, "witbuild")) == reference(pages, "witbuild")


@pytest.mark.parametrize("room", [counting.FULL_COUNTS, 2])
def test_a_bigram_that_is_seen_more_often_than_its_place_can_hold(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(counting, "FULL_COUNTS", room)
    pages = [b"a b " * 300_000 + b"\n"] * 8
    rounds: list[Round] = []
    counter = NgramCounter("witbuild", rounds.append, slots=1 << 23)
    for page in pages:
        counter.add(pack([page]))
    counter.close()
    words, _, bigrams = added_up(rounds)
    assert words == {"a": 2_400_000, "b": 2_400_000}
    assert bigrams == {("a", "b"): 2_400_000, ("b", "a"): 2_399_992}
    assert len(rounds) == (1 if room > 2 else 3)


def test_a_page_that_does_not_fit_is_left_out_and_counted() -> None:
    rounds: list[Round] = []
    counter = NgramCounter("witbuild", rounds.append, slots=128)
    counter.add(pack([b"dog\n", b"cat " * 100 + b"\n", b"bird\n"]))
    counter.close()
    assert counter.too_large == 1
    assert added_up(rounds)[0] == Counter(dog=1, bird=1)


def test_bigrams_can_be_left_uncounted() -> None:
    rounds: list[Round] = []
    counter = NgramCounter("witbuild", rounds.append, bigrams=False)
    counter.add(pack([b"red dog\n"]))
    counter.close()
    assert (sum(part.num_rows for part in rounds[0].words(slices=1)), list(rounds[0].bigrams(slices=1))) == (2, [])


@pytest.mark.parametrize("semantics", SEMANTICS)
@given(text=st.text(max_size=80))
def test_the_tokens_of_any_line_agree_with_the_reference(semantics: Semantics, text: str) -> None:
    line = text.encode("utf-8", "replace").decode().replace("\n", " ")
    pages = pack([f"{line}\n".encode()])
    scan = scan_lines(pages, pages.offsets, semantics)
    ends = [0, *scan.ends.tolist()]
    found = [scan.out[a:b].tobytes().decode() for a, b in pairwise(ends)]
    assert found == line_tokens(line, semantics)


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 9)), max_size=40)


@given(st.lists(pairs, max_size=4))
def test_sums_of_pairs_agree_with_counter(batches: list[list[tuple[int, int, int]]]) -> None:
    sums, expected = PairSums(), Counter[tuple[int, int]]()
    for batch in batches:
        first, second, counts = (np.array([row[i] for row in batch], np.uint64) for i in range(3))
        sums.add(first, second, counts.astype(np.int64))
        for one, other, count in batch:
            expected[one, other] += count
    found = zip(*(part.tolist() for part in sums.at_least(1)), strict=True)
    assert {(one, other): count for one, other, count in found} == dict(expected)
    frequent = sums.at_least(9).counts.tolist()
    assert (len(sums), sorted(frequent)) == (len(expected), sorted(n for n in expected.values() if n >= 9))


def test_sums_of_pairs_grow() -> None:
    sums, many = PairSums(), np.arange(200_000, dtype=np.uint64)
    for _ in range(2):
        sums.add(many, many[::-1], np.ones(len(many), np.int64))
    first, second, counts = sums.at_least(1)
    assert np.array_equal(first, many)
    assert np.array_equal(second, many[::-1])
    assert counts.min() == counts.max() == 2


@given(st.lists(st.text(max_size=9)))
def test_the_hash_of_a_text_does_not_depend_on_its_place(texts: list[str]) -> None:
    column = pa.array(["x", *texts], pa.string())
    alone = [int(hash_texts(pa.array([text]))[0]) for text in texts]
    assert hash_texts(column.slice(1)).tolist() == alone


def test_a_round_has_every_word_and_bigram_in_its_slice() -> None:
    (found,) = counted(["red dog and red cat", "a dog"], "witbuild")
    for number, part in enumerate(found.words(slices=5)):
        assert set(slices_of(part["hash"].to_numpy(), 5).tolist()) <= {number}
        assert hash_texts(part["word"]).tolist() == part["hash"].to_pylist()
    for number, part in enumerate(found.bigrams(slices=5)):
        assert set(bigram_slices_of(part["first"].to_numpy(), part["second"].to_numpy(), 5).tolist()) <= {number}


def test_slices_are_even() -> None:
    hashes = hash_texts(pa.array([f"w{i}" for i in range(20_000)]))
    for slices in (slices_of(hashes, 16), bigram_slices_of(hashes, hashes[::-1], 16)):
        assert np.bincount(slices, minlength=16).min() > 1_000
