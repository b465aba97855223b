"""Wikitext becomes plain text: by example, against the plain reference, in linear time."""

from __future__ import annotations

import time
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.text import reference_wikitext
from witbuild.sources.wikipedia import read_header, read_pages
from witbuild.text.tokens import tokens
from witbuild.text.wikitext import media_names, pack, plain_text, plain_texts

if TYPE_CHECKING:
    from pathlib import Path


def words(text: str) -> list[list[str]]:
    """Return the tokens of each line that has any."""
    return [found for line in text.split("\n") if (found := tokens(line))]


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Red''' and ''blue'', l''''x'''", ["Red and blue, l'x"]),
        ("[[dog]]s and [[Cat|big cats]]", ["dogs and big cats"]),
        ("[[:Category:Dogs]] [[Category:Dogs]][[fr:Chien]]", ["Category:Dogs"]),
        ("[[File:A.jpg|thumb|A [[red]] {{convert|1|m}} dog]]after", ["after"]),
        ("[[image:a.png|x]]b [[Star Trek: First]]", ["b Star Trek: First"]),
        ("[http://a.test/b?c a label] [//a.test] http://a.test/x, y", ["a label y"]),
        ("see foo:// and a: b", ["see foo:// and a: b"]),
        ("a<ref name=x>{{cite|}}</ref> b<ref name=x/> c", ["a b c"]),
        ("H<sub>2</sub>O<!-- no -->x", ["H2Ox"]),
        ("a<math>\\frac{{1}}{2}</math>b", ["a", "b"]),
        ("<nowiki>[[no link]] {{no}}</nowiki>", ["no link no"]),
        ("a &amp; b&ndash;c &eacute; &#x41;&#66; &unknown; &#0;", ["a & b–c é AB &unknown;"]),
        ("__NOTOC__snake__case_x", ["snake__case_x"]),
        ("a {{t|{{u}}|\n* b}} c", ["a", "c"]),
        ("an {{unclosed [[x]] call", ["an unclosed x call"]),
        ("{{{1}}} }} b", ["b"]),
        ("# one\n*: two\n== Three ==", ["one", "two", "== Three =="]),
        ("a < b <foo> c", ["a < b <foo> c"]),
        ("a<br/>b<div class='x'>c</div>", ["a", "b", "c"]),
        ("", []),
    ],
)
def test_each_rule_by_example(wikitext: str, expected: list[str]) -> None:
    lines = [" ".join(line.split()) for line in plain_text(wikitext).split("\n")]
    assert [line for line in lines if line] == expected


TABLE = """before
{| class="x"
! head !! other
|-
| cell || {{t|
|}}
:{| nested
| inner
|}
|}after
| debris
end"""


def test_tables_go_with_all_that_is_nested_in_them() -> None:
    assert words(plain_text(TABLE)) == [["before"], ["after"], ["end"]]


def test_a_table_that_is_not_closed_ends_at_the_next_heading() -> None:
    assert words(plain_text("{|\n| cell\n\n== Next ==\ntext")) == [["next"], ["text"]]


def test_a_file_link_that_is_not_closed_ends_at_the_next_blank_line() -> None:
    assert words(plain_text("[[File:a.png|thumb|lost\n\nkept")) == [["kept"]]


def test_a_wikis_own_namespaces_are_known() -> None:
    media = media_names(["Datei", "Файл", "Image_x"])
    text = plain_texts(pack(["[[Datei:a|b]] [[Файл:a|c]] [[image x:d]] e".encode()]), media)
    assert words(text.data.tobytes().decode()) == [["e"]]


def test_pages_do_not_run_into_each_other() -> None:
    pages = plain_texts(pack([b"{{ a", b"}} b", b"<!-- c", b"d"]), media_names())
    texts = [pages.data[a:b].tobytes() for a, b in zip(pages.offsets[:-1], pages.offsets[1:], strict=True)]
    assert texts == [b"   a\n", b"   b\n", b"\n", b"d\n"]


MARKUP = r"""
{{ }} { }
{{{ }}} [[ ]] [ ] {| |} | || |- ! * : #
== ''' '' ' '''' '''''' <!-- --> <ref> </ref> <ref/> <br> <nowiki>
</nowiki>
<math> </math> <b> </B> <table> </table> <unknown> < > &nbsp; &amp; &eacute; &#65; &#xD800; & ; http://a.test/b https://
:// File: file_: Category: fr: :File: Talk: __TOC__ __ _ dog cat é 東京 ß 3d x-y . ,
"""
PIECES = (*MARKUP.split(), " ", "\t", "\n", "\n\n", "\n== ", "\n|", "\v", "\x01")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@settings(max_examples=400)
@example("{{{{a}} b}}")
@example("[[File:a|{{b\n\nc}}]]d")
def test_markup_of_any_shape_agrees_with_the_reference(wikitext: str) -> None:
    assert words(plain_text(wikitext)) == words(reference_wikitext.plain_text(wikitext))


@given(st.text(max_size=60))
def test_any_text_agrees_with_the_reference(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert words(plain_text(text)) == words(reference_wikitext.plain_text(text))


def compare(path: str) -> int:
    media = read_header(path).media
    names = ("file", "image", "media", "category", *(name.lower() for name in media))
    pages = [page for page in read_pages(path, Counter()) if not page.redirect]
    texts = plain_texts(pack([page.text for page in pages]), media_names(media))
    for page, start, end in zip(pages, texts.offsets[:-1], texts.offsets[1:], strict=True):
        found = texts.data[start:end].tobytes().decode()
        expected = reference_wikitext.plain_text(page.text.decode(), names)
        assert words(found) == words(expected), page.title
    return len(pages)


def test_real_pages_agree_with_the_reference() -> None:
    assert compare(str(resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2")) == 28


def test_a_whole_real_dump_agrees_with_the_reference(shared: Path) -> None:
    folder = shared / "wikipedia"
    assert sum(compare(str(path)) for path in sorted(folder.glob("*.bz2"))) == 106 + 5


LEAKS = (
    "{{",
    "}}",
    "[[",
    "]]",
    "{|",
    "|}",
    "<ref",
    "</",
    "http",
    "&nbsp",
    "thumb|",
    "colspan",
    "cellpadding",
    "bgcolor",
)


def test_no_markup_of_real_pages_leaks_into_the_text() -> None:
    path = str(resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2")
    texts = plain_texts(pack([page.text for page in read_pages(path, Counter())]), media_names())
    text = texts.data.tobytes().decode().lower()
    assert {leak: text.count(leak) for leak in LEAKS if leak in text} == {}
    assert not {"rowspan", "cellspacing", "reflist", "valign"} & set(tokens(text))


@pytest.mark.parametrize(
    "piece", ["{{", "}}", "[[", "[[File:", "<ref>", "<b", "<!--", "{|\n", "\n|", "'", "&", "__", "http://", "<nowiki>"]
)
def test_time_grows_with_length_whatever_is_repeated(piece: str) -> None:
    plain_text("warm")
    started = time.process_time()
    plain_text(piece * (4_000_000 // len(piece)))
    assert time.process_time() - started < 2.0
