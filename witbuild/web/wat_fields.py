"""What is known of a WAT record while it is read by a compiled pass: numbers, all of them in arrays.

state    where the LEAVES stand, start and stop of each (-1: there is none), and IMAGES, ...: how many          int64
images   of each image: start and stop of url, alt, title, width, height (-1: there is none)                    int32
notes    kind, and start and stop of two strings: metas and headers (name, content), licence links (rel, url)   int32

Notes of Open Graph (ogp.me) say which property in place of the name; they become images in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.text.kernels import inner

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.int32]

FILENAME, OFFSET, LENGTH, TYPE, TARGET, STATUS, BASE = range(7)
LEAVES: Final = 7
IMAGES, GRAPH_IMAGES, NOTES, SEEN = range(2 * LEAVES, 2 * LEAVES + 4)
LEAVES_SIZE: Final = 2 * LEAVES + 4
STACK: Final = 20
"""Where the objects stand that the one being read lies in."""
ITEM: Final = 30
"""Where the strings of a link or meta tag stand while it is read, by their keys."""
NAMES: Final = ("path", "url", "alt", "title", "width", "height", "rel", "property", "name", "content")
PATH, URL, ALT, TITLE, WIDTH, HEIGHT, REL, PROPERTY, NAME, CONTENT = (
    ITEM + 2 * place for place in range(len(NAMES))
)  # fmt: skip
ITEM_END: Final = ITEM + 2 * len(NAMES)
AGENT: Final = ITEM_END
"""Where the `agent_number` is given."""
STATE_SIZE: Final = AGENT + 1
IMAGE_SIZE, NOTE_SIZE, MAX_NOTES = 10, 5, 4_096
GRAPH, META, HEADER, LICENCE, COMMONS, HEAD_LICENCE, HEAD_COMMONS = range(7)
"""Kinds of notes; what may be a licence in the end: the links of the body, then those of the head."""
CAPITAL: Final = 32
"""The bit by which a small letter differs from its capital."""
EIGHT: Final = 8
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_ONES, _TOPS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)


class Doc(NamedTuple):
    """Pointers to a record's bytes and to what is written, see above, and where its JSON ends."""

    data: Bytes
    size: int
    state: Ints
    images: Rows
    notes: Rows


def key_number(name: str, fold: int = 0) -> int:
    """Return the number by which a key is known, see `key_of`."""
    value = 0
    for place, byte in enumerate(octet | fold for octet in name.encode()):
        mixed = (value >> 56) * int(_PRIME) if place >= EIGHT else 0
        value = ((value << 8) ^ byte ^ mixed) & 0xFFFFFFFFFFFFFFFF
    return value


def agent_number(agent: str) -> np.int64:
    """Return the number by which meta tags are known that name a crawler; no tag's for none."""
    return np.uint64(key_number(agent, CAPITAL)).astype(np.int64)


def numbers(names: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the numbers of keys."""
    return np.array([key_number(name) for name in names], np.uint64)


@inner
def key_of(data: Bytes, start: int, stop: int, fold: int) -> np.uint64:
    """Return the number by which a key is known: its bytes, mixed beyond eight; `fold` is 32 for small letters."""
    value = np.uint64(0)
    for place in range(start, min(start + EIGHT, stop)):
        value = value << np.uint64(8) ^ np.uint64(data[place] | fold)
    for place in range(start + EIGHT, stop):
        value = value << np.uint64(8) ^ np.uint64(data[place] | fold) ^ (value >> np.uint64(56)) * _PRIME
    return value


@inner
def has_byte(word: np.uint64, byte: int) -> bool:
    """Say whether one of a word's eight bytes is a byte (Hacker's Delight, 6-1)."""
    rest = word ^ np.uint64(byte) * _ONES
    return (rest - _ONES) & ~rest & _TOPS != np.uint64(0)


@inner
def place_of(value: np.uint64, values: npt.NDArray[np.uint64]) -> int:
    """Return the place of a number among others, or -1."""
    for place in range(len(values)):
        if values[place] == value:
            return place
    return -1
