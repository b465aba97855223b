"""The compiled matcher against its definition, and both against a substring search in the normal form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.errors import InputError
from witbuild.text import stored
from witbuild.text.match import MOST, Matcher, match_reference
from witbuild.text.normalise import normalise
from witbuild.text.scan import SLACK, scan
from witbuild.text.tokens import SEMANTICS, Semantics, query_tokens, tokens
from witbuild.text.trie import key_of, word_at

# Short words over few letters meet often; the rest is what folding, cutting and composing turn on.
LETTERS = "abAB ,.'-_\t\n`é\u0301ßŉǰΐİı\u0345\u00ad\u200b\ufe0f東京กิ่한\u1112\u1161각क्ष\U00020000\U0001f600\x00"
HOSTILE = st.one_of(st.text(alphabet=LETTERS, max_size=12), st.text(max_size=12))
LONG = st.text(alphabet="ab", min_size=6, max_size=10)
TEXTS = st.one_of(HOSTILE, st.lists(st.one_of(LONG, st.sampled_from("ab")), max_size=8).map(" ".join))
SEMANTIC = st.sampled_from(SEMANTICS)


def compiled(captions: list[str], queries: list[str], semantics: Semantics) -> list[list[int]]:
    found: list[list[int]] = (
        Matcher(pa.array(queries, pa.string()), semantics).match(pa.array(captions, pa.string())).to_pylist()
    )
    return found


@settings(max_examples=500)
@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=8), SEMANTIC)
def test_compiled_and_reference_agree(captions: list[str], queries: list[str], semantics: Semantics) -> None:
    captions = [*captions, " ".join([*captions, *queries]), ",".join(queries)]
    assert compiled(captions, queries, semantics) == match_reference(captions, queries, semantics)


@settings(max_examples=200)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=6))
def test_reference_agrees_with_substrings_of_normal_forms(captions: list[str], queries: list[str]) -> None:
    captions = [*captions, " ".join(queries)]
    texts = [f" {normalise(caption)} " for caption in captions]
    runs = [f" {normalise(query)} " for query in queries]
    expected = [[i for i, run in enumerate(runs) if run.strip() and run in text] for text in texts]
    assert match_reference(captions, queries, "witbuild") == expected


@settings(max_examples=200)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=6))
def test_metaclip_agrees_with_padding_and_substring(captions: list[str], queries: list[str]) -> None:
    def padded(text: str) -> str:
        for mark in ",.;:?!`":
            text = text.replace(mark, f" {mark} ")
        return " " + text.replace("\t", " ").replace("\n", " ") + " "

    captions = [*captions, " ".join(queries)]
    expected = [[i for i, q in enumerate(queries) if q.strip(" ") and f" {q} " in padded(c)] for c in captions]
    assert compiled(captions, queries, "metaclip") == expected


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=6), SEMANTIC)
def test_scan_cuts_as_tokens_does(texts: list[str], semantics: Semantics) -> None:
    out, ends, lasts = scan(pa.array(texts, pa.string()), semantics)
    words = (
        [out[start:end].tobytes().decode() for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        if len(ends)
        else []
    )
    found = [words[first:last] for first, last in zip([0, *lasts[:-1]], lasts, strict=True)] if len(lasts) else []
    assert found == [tokens(text, semantics) for text in texts]


def test_every_overlap_counts_once() -> None:
    queries = ["ice", "ice cream", "cream cake", "ice cream cake", "cake", "cream ice", "Ice-Cream"]
    assert compiled(["ice cream cake, ICE CREAM"], queries, "witbuild") == [[0, 1, 2, 3, 4, 6]]
    assert compiled(["cream, ice"], queries, "exact-case") == [[0, 5]]


def test_case_is_kept_where_it_counts() -> None:
    for semantics in ("exact-case", "metaclip"):
        assert compiled(["Turkey", "turkey"], ["turkey"], semantics) == [[], [0]]


def test_arrow_types_slices_chunks_and_nulls() -> None:
    matcher = Matcher(pa.chunked_array([["x", "red"], ["square"]]))
    texts = ["skip", "a red square", None, "", "squared"]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        assert matcher.match(pa.array(texts, kind)[1:]).to_pylist() == [[1, 2], [], [], []]
    assert matcher.match(pa.array(texts).dictionary_encode()).to_pylist()[1] == [1, 2]
    assert matcher.match(pa.chunked_array([texts[:2], texts[2:]])).to_pylist()[1] == [1, 2]
    assert matcher.match(pa.chunked_array([], pa.string())).to_pylist() == []
    assert matcher.match(pa.nulls(2, pa.string())).to_pylist() == [[], []]


def test_broken_utf8_costs_characters_and_no_more() -> None:
    octets = [b"red \xff square", b"red \xe6\x9d", b"\xf0\x9f red", b"re\x80d", b"\xed\xa0\x80 red"]
    column = pa.array(octets, pa.binary()).view(pa.string())
    assert Matcher(pa.array(["red"])).match(column).to_pylist() == [[0], [0], [0], [], [0]]


def test_a_hostile_caption_is_matched_in_linear_memory_and_time() -> None:
    queries = ["a", "a a", "a a a", "b" * 100]
    texts = ["a " * 500_000 + "b" * 100, "ß" * 100_000, "e" + "\u0301" * 100_000, "," * 100_000]
    assert compiled(texts, queries, "witbuild") == [[0, 1, 2, 3], [], [], []]
    assert compiled(texts, queries, "metaclip") == [[0, 1, 2, 3], [], [], []]


@given(st.lists(st.integers(0, 99), min_size=MOST - 8, max_size=6 * MOST))
def test_any_number_of_matches_is_in_order_without_repeats(words: list[int]) -> None:
    queries = [f"w{number}" for number in range(100)]
    texts = [" ".join(f"w{number}" for number in words), "w7 w3", " ".join(f"w{number}" for number in reversed(words))]
    assert compiled(texts, queries, "witbuild") == [sorted(set(words)), [3, 7], sorted(set(words))]


def test_tokens_with_one_key_are_told_apart_by_their_bytes() -> None:
    """A key of the long kind cannot be that of a short token, and a shared one is not taken for a match."""
    vocabulary = Matcher(pa.array(["abcdefgh", "abcdefghijklmnopqrstuvwxyz"])).trie.words
    key = key_of(padded(b"abcdefgh"), 0, 8)
    assert vocabulary.slots[word_at(padded(b"abcdefgh"), 0, 8, key, vocabulary), 1] != 0
    assert vocabulary.slots[word_at(padded(b"abcdefgi"), 0, 8, key, vocabulary), 1] == 0
    assert vocabulary.slots[word_at(padded(b"abcdefghi"), 0, 9, key, vocabulary), 1] == 0
    assert int(key) >> 63 == 1
    long = b"abcdefghijklmnopqrstuvwxyz"
    key = key_of(padded(long), 0, len(long))
    assert vocabulary.slots[word_at(padded(long), 0, len(long), key, vocabulary), 1] != 0
    for place in range(len(long)):
        other = long[:place] + b"?" + long[place + 1 :]
        assert vocabulary.slots[word_at(padded(other), 0, len(long), key, vocabulary), 1] == 0


def padded(octets: bytes) -> npt.NDArray[np.uint8]:
    """Bytes with those behind them that may be read."""
    return np.frombuffer(octets + b"?" * SLACK, np.uint8)


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_short_tokens_are_their_own_keys(one: bytes, other: bytes) -> None:
    keys = [int(key_of(padded(octets), 0, len(octets))) for octets in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert max(keys) >> 63 == 0


# The same captions and queries for the compiled road and for Aho-Corasick, which sees normal forms between spaces.
SYLLABLES = (
    "ba",
    "ki",
    "lo",
    "mu",
    "ne",
    "sa",
    "to",
    "ré",
    "ß",
    "Straß",
    "ICE",
    "cream",
    "İs",
    "東",
    "京",
    "ที่",
    "e\u0301",
)
MARKS = (" ", " ", " ", "-", ", ", "  ", "'", "\t", ". ", "_", "`", "\u00ad", "\u200b", "/", "!?", "\n", "🙂")


def made_up(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Captions of made-up words, a tenth of them hostile, and queries of which many occur in them."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(SYLLABLES, size)) for size in random.integers(1, 6, 400)]

    def text(size: int) -> str:
        ranks = (len(words) ** random.random(size)).astype(int) - 1
        return "".join(
            words[rank] + MARKS[mark] for rank, mark in zip(ranks, random.integers(0, 17, size), strict=True)
        )

    captions = [text(size) for size in random.integers(0, 14, count)]
    for place in range(0, count, 10):
        hostile = (text(40).upper(), words[0] * 30, (words[1] + " ") * 60, text(2) + "\x00" + text(2), "," * 20)
        captions[place] = hostile[place // 10 % len(hostile)]
    queries = [text(size).strip() for size in random.integers(1, 5, 1_500)] + words
    return captions, list(dict.fromkeys(query for query in queries if query))


def aho_corasick(captions: list[str], queries: list[str], semantics: Semantics) -> list[list[int]]:
    automaton = pytest.importorskip("ahocorasick").Automaton()
    by_run: dict[str, list[int]] = {}
    for number, query in enumerate(queries):
        if any(run := query_tokens(query, semantics)):
            by_run.setdefault(f" {' '.join(run)} ", []).append(number)
    for padded_run, numbers in by_run.items():
        automaton.add_word(padded_run, numbers)
    automaton.make_automaton()
    texts = (f" {' '.join(tokens(caption, semantics))} " for caption in captions)
    return [sorted({number for _, numbers in automaton.iter(text) for number in numbers}) for text in texts]


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_the_ids_are_those_of_aho_corasick_and_of_the_definition(semantics: Semantics) -> None:
    captions, queries = made_up(5_000, 1)
    found = compiled(captions, queries, semantics)
    assert found == aho_corasick(captions, queries, semantics)
    assert found[:40] == match_reference(captions[:40], queries, semantics)
    assert sum(map(len, found)) > 5_000


@pytest.mark.slow
@pytest.mark.parametrize("semantics", SEMANTICS)
def test_the_ids_of_100_000_captions(semantics: Semantics) -> None:
    captions, queries = made_up(100_000, 2)
    found = compiled(captions, queries, semantics)
    assert found == aho_corasick(captions, queries, semantics)
    some = slice(0, 100_000, 1_000)
    assert found[some] == match_reference(captions[some], queries, semantics)


def test_a_stored_trie_is_the_trie(tmp_path: Path) -> None:
    captions, queries = made_up(300, 3)
    matcher = Matcher(pa.array(queries))
    stored.save(matcher.trie, tmp_path / "trie")
    again = Matcher(None, "witbuild", stored.load(tmp_path / "trie"))
    assert again.match(pa.array(captions)).equals(matcher.match(pa.array(captions)))
    stored.save(Matcher(pa.array(["other"])).trie, tmp_path / "trie")
    assert again.match(pa.array(captions)).equals(matcher.match(pa.array(captions)))
    assert [path.name for path in tmp_path.iterdir()] == ["trie"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]" + b" " * 2_000, b'["witbuild trie 1", []]' + b" " * 2_000])
def test_what_is_no_stored_trie_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "trie").write_bytes(content)
    with pytest.raises(InputError, match="remove it"):
        stored.load(tmp_path / "trie")


def test_numbers_are_rows_and_duplicates_all_report() -> None:
    queries = ["ice cream", "?!", "Ice Cream", "ice-cream", "cream"]
    assert compiled(["ICE CREAM"], queries, "witbuild") == [[0, 2, 3, 4]]


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_real_alt_text(shared: Path, semantics: Semantics) -> None:
    texts = pq.read_table(shared / "lists" / "laion_10000.parquet")["TEXT"].to_pylist()[:2000]
    captions = [text or "" for text in texts]
    queries = sorted({word for text in captions[:300] for word in text.split()} | set(captions[:50]))[:500]
    assert compiled(captions, queries, semantics) == match_reference(captions, queries, semantics)
