"""WN-LMF: members and senses name the first lemma; what is no wordnet is refused."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from witbuild.errors import InputError
from witbuild.sources.wordnet import Synset, read_synsets

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = """<LexicalEntry id="e1"><Lemma writtenForm="gelato" partOfSpeech="n"/>
<Sense id="e1-s" synset="s1"/></LexicalEntry>
<LexicalEntry id="e2"><Lemma writtenForm="ice cream" partOfSpeech="n"/><Sense id="e2-s" synset="s1"/>
<Sense id="e2-t" synset="s2"/></LexicalEntry>
<LexicalEntry id="e3"><Lemma writtenForm="icy" partOfSpeech="s"/><Sense id="e3-s" synset="s3"/></LexicalEntry>"""


def document(synsets: str, doctype: str = "") -> str:
    schema = '<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.3.dtd">'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype or schema}\n<LexicalResource>\n'
        f"<Lexicon id='oewn' language='en'>\n{ENTRIES}\n{synsets}\n</Lexicon></LexicalResource>"
    )


def read(path: Path, content: str) -> list[Synset]:
    path.write_bytes(gzip.compress(content.encode()))
    return list(read_synsets(str(path)))


@pytest.mark.parametrize("members", ["e2 e1", "e2-s e1-s", "nobody e2"])
def test_the_first_member_names_the_synset(tmp_path: Path, members: str) -> None:
    synsets = f'<Synset id="s1" partOfSpeech="n" members="{members}"/>'
    assert read(tmp_path / "x", document(synsets)) == [Synset("n", "ice cream")]


def test_without_members_the_first_entry_names_it(tmp_path: Path) -> None:
    synsets = "".join(
        f'<Synset id="s{n}" partOfSpeech="{part}"/>' for n, part in ((3, "s"), (1, "n"), (2, "n"), (9, "v"))
    )
    assert read(tmp_path / "x", document(synsets)) == [
        Synset("a", "icy"),
        Synset("n", "gelato"),
        Synset("n", "ice cream"),
    ]


LAUGHS = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<LexicalResource><Lexicon>", r"line 1: no element found"),
        ("no XML", r"line 1: syntax error"),
        ("<mediawiki/>", r"no <Lexicon>; --wordnet wants"),
        (document("", LAUGHS), r"line 2: declares an entity"),
        (document("", OUTSIDE), r"line 2: declares an entity"),
    ],
)
def test_what_is_no_wordnet_is_an_error_that_names_the_file(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"wordnet\.xml: {said}"):
        read(tmp_path / "wordnet.xml", content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        list(read_synsets(str(tmp_path / "nowhere.xml")))
