"""Text files of words: `word count` a line (wikipedia-word-frequency's format), or a query a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.sources.unpack import lines
from witbuild.text.words import is_word, line_tokens

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from witbuild.text.tokens import Semantics


def read_counts(path: str, semantics: Semantics, dropped: Counter[str], *, rows: int) -> Iterator[dict[str, int]]:
    """Yield the counts of a list's words, at most about `rows` words at a time.

    An entry of several tokens, such as ``non-profit``, counts for each of them, as it does in a text.

    Args:
        path: of the list, compressed or not.
        semantics: how an entry is cut into words.
        dropped: is told how many lines are left out, by reason: malformed_line, no_word.
        rows: words that are held at a time.
    """
    counts: dict[str, int] = {}
    for line in lines(path):
        entry, count = _entry(line)
        if count < 0:
            dropped["malformed_line"] += 1
            continue
        words = [token for token in line_tokens(entry, semantics) if is_word(token, semantics)]
        dropped["no_word"] += not words
        for word in words:
            counts[word] = counts.get(word, 0) + count
        if len(counts) >= rows:
            yield counts
            counts = {}
    yield counts


def _entry(line: bytes) -> tuple[str, int]:
    """Return a line's word and count, or a count of -1 when it is not such a line."""
    word, _, count = line.strip().rpartition(b" ")
    try:
        text = word.decode().strip()
    except UnicodeDecodeError:
        return "", -1
    return (text, int(count)) if text and count.isdigit() and len(count) < 19 else ("", -1)


def read_queries(path: str, dropped: Counter[str]) -> Iterator[str]:
    """Yield the queries of a list, empty lines left out; `dropped` is told how many lines are not UTF-8."""
    for line in lines(path):
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            dropped["invalid_utf8"] += 1
            continue
        if text:
            yield text
