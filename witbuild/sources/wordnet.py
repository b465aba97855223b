"""WordNet: the synsets in the order of the data files, each with its first lemma, the name of the synset.

WordNet 3.0 ships with the package as `witbuild/data/wordnet-3.0.txt.xz`: its notice as lines that start with
``#``, then a line a synset, part of speech and first lemma. Another WordNet is read from its database files
(WNDB(5WN)) or from WN-LMF (`witbuild.sources.wnlmf`).
"""

from __future__ import annotations

import lzma
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from witbuild.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHIPPED: Final = "wordnet-3.0.txt.xz"
"""Name of the data file in `witbuild/data`."""

_FILES = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_LICENCE_LINE = b"  "  # the notice at the top of a data file is indented by two spaces
_SYNSET = re.compile(rb"\d{8} \d\d [nvasr] [0-9a-f]{2} (\S+) ")
_POSITION_OF_ADJECTIVE = re.compile(r"\((?:a|p|ip)\)$")


class Synset(NamedTuple):
    """A set of synonyms: its part of speech (n, v, a, r) and its first lemma, ``_`` for a space."""

    part: str
    lemma: str


def shipped() -> list[Synset]:
    """Return the 117,659 synsets of WordNet 3.0 that come with the package.

    Example:
        >>> len(shipped()), shipped()[0]
        (117659, Synset(part='n', lemma='entity'))
    """
    packed = resources.files("witbuild").joinpath("data", SHIPPED).read_bytes()
    return list(parse(lzma.decompress(packed).decode().splitlines()))


def read_synsets(path: str = "") -> Iterator[Synset]:
    """Yield the synsets of a folder of database files or of a WN-LMF file; of WordNet 3.0 when no path is given.

    Raises:
        InputError: what is there is neither.
    """
    from witbuild.sources.wnlmf import read_wnlmf

    if not path:
        yield from shipped()
    elif Path(path).is_dir():
        yield from read_wndb(path)
    else:
        yield from read_wnlmf(path)


def parse(lines: Iterable[str]) -> Iterator[Synset]:
    """Yield the synsets of the shipped format."""
    for line in lines:
        if not line.startswith("#"):
            part, lemma = line.split(" ")
            yield Synset(part, lemma)


def read_wndb(folder: str) -> Iterator[Synset]:
    """Yield the synsets of a folder of WordNet database files, nouns first, then verbs, adjectives, adverbs.

    Raises:
        InputError: a data file is absent, or a line of it is not a synset.
    """
    for part, name in _FILES.items():
        path = Path(folder) / name
        if not path.is_file():
            raise InputError(f"{path}: no such file; --wordnet wants the dict folder of a WordNet ({name}, ...)")
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.startswith(_LICENCE_LINE):
                    yield Synset(part, _first_lemma(line, f"{path}:{number}"))


def _first_lemma(line: bytes, place: str) -> str:
    found = _SYNSET.match(line)
    if found is None:
        raise InputError(f"{place}: not a synset: {line[:40]!r}; each line holds offset, file number, part, words")
    return _POSITION_OF_ADJECTIVE.sub("", found[1].decode("utf-8", "replace"))


def name(lemma: str, *, cut: bool = False) -> str:
    """Return a synset's name in plain words; `cut` ends it at the first full stop, as MetaCLIP does.

    The cut is what taking the part of ``st._petersburg.n.01`` before its first full stop does (Xu et al. 2023).

    Example:
        >>> name("St._Petersburg"), name("St._Petersburg", cut=True), name("ice_cream", cut=True)
        ('St. Petersburg', 'st', 'ice cream')
    """
    text = lemma.lower().split(".", 1)[0] if cut else lemma
    return text.replace("_", " ")
