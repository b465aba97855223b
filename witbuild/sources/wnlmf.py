"""WordNets in WN-LMF, the Global WordNet Association's XML: Open English WordNet and the wordnets of other languages.

    <LexicalEntry id="e1"><Lemma writtenForm="ice cream" partOfSpeech="n"/><Sense id="..." synset="s1"/></LexicalEntry>
    <Synset id="s1" partOfSpeech="n" members="e1 e2"/>

A synset's first lemma is that of the first of its members; without `members` (before version 1.1), that of the first
entry with a sense of it. Formats: https://globalwordnet.github.io/schemas/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from witbuild.errors import InputError
from witbuild.sources.unpack import chunks
from witbuild.sources.wordnet import Synset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PARTS: Final = {"s": "a"}  # a satellite is an adjective


class _Refused(Exception):  # noqa: N818 never leaves this module
    """The document declares entities, which no wordnet has."""


def read_wnlmf(path: str) -> Iterator[Synset]:
    """Yield the synsets of a file, compressed or not, in its order; one without a lemma is left out.

    Raises:
        InputError: it is not well-formed, is no WN-LMF, or declares entities; names the file and the line.
    """
    found = _Lexicon()
    parser, final = expat.ParserCreate(), True
    parser.StartElementHandler = found.start
    parser.EntityDeclHandler = _refuse
    try:
        for chunk in chunks(path):
            parser.Parse(chunk.data)
        parser.Parse(b"", final)
    except expat.ExpatError as error:
        raise InputError(f"{path}: line {error.lineno}: {expat.ErrorString(error.code)}; fetch it again") from error
    except _Refused as error:
        place = f"{path}: line {parser.CurrentLineNumber}"
        raise InputError(f"{place}: declares an entity; no wordnet does, and they are not expanded") from error
    if not found.is_lexicon:
        raise InputError(f"{path}: no <Lexicon>; --wordnet wants a WN-LMF file or the dict folder of a WordNet")
    yield from found.synsets()


def _refuse(*_: object) -> None:
    raise _Refused


class _Lexicon:
    """Collects what the elements of a document say."""

    def __init__(self) -> None:
        self.is_lexicon = False
        self._entry = self._lemma = ""
        self._lemmas: dict[str, str] = {}
        """Id of an entry or of a sense -> lemma."""
        self._first: dict[str, str] = {}
        """Id of a synset -> lemma of the first entry with a sense of it."""
        self._synsets: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element in."""
        if name == "Lexicon":
            self.is_lexicon = True
        elif name == "LexicalEntry":
            self._entry, self._lemma = attributes.get("id", ""), ""
        elif name == "Lemma":
            self._lemma = self._lemmas[self._entry] = attributes.get("writtenForm", "")
        elif name == "Sense":
            self._lemmas[attributes.get("id", "")] = self._lemma
            self._first.setdefault(attributes.get("synset", ""), self._lemma)
        elif name == "Synset":
            part, members = attributes.get("partOfSpeech", ""), attributes.get("members", "")
            self._synsets.append((attributes.get("id", ""), _PARTS.get(part, part), members))

    def synsets(self) -> Iterator[Synset]:
        """Yield the synsets that have a lemma."""
        for key, part, members in self._synsets:
            lemma = next((self._lemmas[name] for name in members.split() if self._lemmas.get(name)), "")
            lemma = lemma or self._first.get(key, "")
            if lemma:
                yield Synset(part, lemma)
