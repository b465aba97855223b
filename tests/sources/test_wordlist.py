"""Word lists: words with counts, queries one a line."""

from __future__ import annotations

import lzma
from collections import Counter
from typing import TYPE_CHECKING

from witbuild.sources.wordlist import read_counts, read_queries

if TYPE_CHECKING:
    from pathlib import Path


def test_entries_count_for_each_of_their_words_as_in_a_text(tmp_path: Path) -> None:
    path = tmp_path / "words.txt.xz"
    path.write_bytes(
        lzma.compress(b"The 9\nnon-profit 4\nprofit 2\n3d 7\n%% 1\nno count\n\xff 3\nbig 99999999999999999999\n")
    )
    dropped: Counter[str] = Counter()
    assert list(read_counts(str(path), "witbuild", dropped, rows=9)) == [{"the": 9, "non": 4, "profit": 6}]
    assert dropped == {"malformed_line": 3, "no_word": 2}
    assert list(read_counts(str(path), "metaclip", Counter(), rows=9)) == [{"the": 9, "non-profit": 4, "profit": 2}]


def test_only_some_words_are_held_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a 1\nb 2\na 3\n")
    assert list(read_counts(str(path), "witbuild", Counter(), rows=2)) == [{"a": 1, "b": 2}, {"a": 3}]


def test_queries_are_lines_that_are_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"ice cream\r\n\n  dog \n\xff\n")
    dropped: Counter[str] = Counter()
    assert list(read_queries(str(path), dropped)) == ["ice cream", "dog"]
    assert dropped == {"invalid_utf8": 1}
