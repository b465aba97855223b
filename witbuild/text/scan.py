"""Tokens of a whole Arrow column at once: `witbuild.text.tokens` as compiled loops over the column's bytes.

offsets   0        9      15          captions, as Arrow holds them
data      Ice-Cream Dog's ...
out       icecreamdogs...             folded bytes of all tokens, without gaps
ends         3    8  11 12            end of each token in `out`; it starts where the one before it ends
lasts             2     4             end of each caption's tokens in `ends`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.text import characters
from witbuild.text.alphabet import CODES, GROWTH, PART, SINGLE, SIZE, SPACE, Alphabet, Side, alphabet
from witbuild.text.ascii import MARGIN, cut_ascii
from witbuild.text.kernels import copied, eight_at, inner, kernel
from witbuild.text.tokens import Semantics, tokens

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]


GAP, WORD, ALONE = CODES[characters.GAP], CODES[characters.WORD], CODES[characters.ALONE]
GONE = CODES[characters.GONE]


SLACK: Final = 16
"""Bytes that may be read, never looked at, after the last token."""
_TOPS: Final = np.uint64(0x8080808080808080)


class Scan(NamedTuple):
    """Tokens of texts: `out` uint8, `ends` int64 of shape (tokens,), `lasts` int64 of shape (texts,)."""

    out: Bytes
    ends: Offsets
    lasts: Offsets


def scan(texts: pa.Array | pa.ChunkedArray, semantics: Semantics, side: Side = "caption") -> Scan:
    """Cut every text of a column of strings into tokens; a null has the tokens of an empty text.

    Example:
        >>> found = scan(pa.array(["Ice-Cream", None, "Dog's"]), "witbuild")
        >>> bytes(found.out), found.ends.tolist(), found.lasts.tolist()
        (b'icecreamdogs', [3, 8, 11, 12], [2, 2, 4])
    """
    letters = alphabet(semantics, side)
    data, offsets = plain_buffers(texts, semantics, letters)
    found = cut(data, offsets, letters)
    return Scan(found.out[:-SLACK].copy(), found.ends.copy(), found.lasts)


def plain_buffers(texts: pa.Array | pa.ChunkedArray, semantics: Semantics, letters: Alphabet) -> tuple[Bytes, Offsets]:
    """Return the bytes and the offsets of texts that `cut` may read: what is not plain, in its normal form."""
    wide = texts.cast(pa.large_string())  # before chunks are put together, which may be more than 2 GB
    column = pc.fill_null(wide.combine_chunks() if isinstance(wide, pa.ChunkedArray) else wide, "")
    data, offsets = _buffers(column)
    if letters.at_spaces:
        return data, offsets
    hard = np.zeros(len(offsets) - 1, np.bool_)
    _find_hard(data, offsets, letters.plain, hard)
    if not hard.any():
        return data, offsets
    normal = [_normal(data[offsets[row] : offsets[row + 1]], semantics) for row in np.flatnonzero(hard)]
    return _buffers(pc.replace_with_mask(column, pa.array(hard), pa.array(normal, pa.large_string())))


def _normal(octets: Bytes, semantics: Semantics) -> str:
    return " ".join(tokens(octets.tobytes().decode("utf-8", "replace"), semantics))


def _buffers(column: pa.LargeStringArray) -> tuple[Bytes, Offsets]:
    _, offsets, data = column.buffers()
    stop = column.offset + len(column) + 1
    positions = np.frombuffer(offsets, np.int64)[column.offset : stop] if len(column) else np.zeros(1, np.int64)
    return np.frombuffer(data or b"\0", np.uint8), positions


@kernel
def cut(data: Bytes, offsets: Offsets, letters: Alphabet) -> Scan:
    """Cut the texts between n + 1 offsets into tokens; `out` has SLACK bytes more than the tokens."""
    size, rows = offsets[-1] - offsets[0], len(offsets) - 1
    found = Scan(
        np.empty(GROWTH * size + SLACK + MARGIN, np.uint8),
        np.empty(2 * size + rows + MARGIN, np.int64),
        np.empty(rows, np.int64),
    )
    size, count = (
        _at_spaces(data, offsets, letters, found) if letters.at_spaces else _words(data, offsets, letters, found)
    )
    return Scan(found.out[: size + SLACK], found.ends[:count], found.lasts)


@inner
def _at_spaces(data: Bytes, offsets: Offsets, letters: Alphabet, found: Scan) -> tuple[int, int]:
    kinds, (out, ends, lasts) = letters.kinds, found
    size, count = 0, 0
    for row in range(len(lasts)):
        for place in range(offsets[row], offsets[row + 1]):
            octet = data[place]
            kind = kinds[octet]
            if kind != PART:
                ends[count] = size
                count += 1
            if kind != SPACE:
                out[size] = octet
                size += 1
            if kind == SINGLE:
                ends[count] = size
                count += 1
        ends[count] = size
        count += 1
        lasts[row] = count
    return size, count


@inner
def _words(  # noqa: C901, PLR0912, PLR0915 calls with arrays cost more than the loop
    data: Bytes, offsets: Offsets, letters: Alphabet, found: Scan
) -> tuple[int, int]:
    """Follow the pattern ``word (word | mark)* | alone mark*`` over the kinds of the characters."""
    kinds, fold_offsets, fold_bytes, case = letters.kinds, letters.fold_offsets, letters.fold_bytes, letters.case
    out, ends, lasts = found
    size, count = 0, 0
    row = -1
    while True:
        row += 1
        if case >= 0:
            row, size, count = cut_ascii(data, offsets, row, np.uint64(case), found, size, count)
        if row >= len(lasts):
            return size, count
        inside, before = GAP, 0
        place, stop = offsets[row], offsets[row + 1]
        plain = place
        while plain + 8 <= stop and eight_at(data, plain) & _TOPS == 0:
            plain += 8
        while plain < stop and data[plain] < 0x80:
            plain += 1
        while (
            plain == stop and place < stop
        ):  # ASCII is letters and gaps: no branch, what does not count is overwritten
            octet = data[place]
            letter = int(kinds[octet] == WORD)
            out[size] = fold_bytes[octet]
            ends[count] = size
            size += letter
            count += before & (letter ^ 1)
            before = letter
            place += 1
        ends[count] = size
        count += before
        while place < stop:
            code, width = int(data[place]), 1
            if code >= 0x80:
                code, width = _decode(data, place, stop)
            kind = kinds[code] if code < SIZE else ALONE
            if inside != GAP and (kind in (GAP, ALONE) or (kind == WORD and inside == ALONE)):
                ends[count] = size
                count += 1
                inside = GAP
            if kind in (WORD, ALONE):
                inside = kind
            if code < 0x80:  # one byte, whose folded form is one byte at the same place
                out[size] = fold_bytes[code]
                size += inside != GAP
            elif inside != GAP and kind != GONE:
                if code < SIZE:
                    size = copied(fold_bytes, fold_offsets[code], fold_offsets[code + 1], out, size)
                else:  # beyond the tables there is only what folds to itself
                    size = copied(data, place, place + width, out, size)
            place += width
        if inside != GAP:
            ends[count] = size
            count += 1
        lasts[row] = count


@inner
def _decode(data: Bytes, place: int, stop: int) -> tuple[int, int]:
    """Return the code point at a place and its width in bytes; broken UTF-8 is U+FFFD, one byte wide."""
    lead = int(data[place])
    if lead < 0x80:
        return lead, 1
    width = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or place + width > stop:
        return 0xFFFD, 1
    code = lead & (0x7F >> width)
    for index in range(place + 1, place + width):
        if data[index] & 0xC0 != 0x80:
            return 0xFFFD, 1
        code = code << 6 | int(data[index] & 0x3F)
    return code, width


@kernel
def _find_hard(data: Bytes, offsets: Offsets, plain: Bools, hard: Bools) -> None:
    """Mark the texts that hold a character that is not plain."""
    for row in range(len(hard)):
        place, stop = offsets[row], offsets[row + 1]
        while place < stop:
            while place + 8 <= stop and eight_at(data, place) & _TOPS == 0:
                place += 8
            if place < stop and data[place] < 0x80:
                place += 1
                continue
            if place >= stop:
                break
            code, width = _decode(data, place, stop)
            if code >= SIZE or not plain[code]:
                hard[row] = True
                break
            place += width
