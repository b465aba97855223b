"""Dumps page by page: against an XML parser, in ranges, and broken in every way that was thought of."""

from __future__ import annotations

import bz2
import gzip
import time
import xml.etree.ElementTree as ET
from collections import Counter
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.dump import END, HEADER, dump, page
from witbuild.errors import InputError
from witbuild.sources import wikipedia
from witbuild.sources.wikipedia import Page, read_header, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLE = str(resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2")
CATS, DOGS = page("Cats", "cats & <b>dogs</b>"), page("Dogs", "dogs")


def read(path: Path | str, start: int = 0, stop: int | None = None) -> tuple[list[Page], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(read_pages(str(path), dropped, start, stop)), dropped


def parsed(path: str) -> Iterator[Page]:
    """Read a dump with an XML parser: the reference."""
    with bz2.open(path) as stream:
        for _, element in ET.iterparse(stream):  # noqa: S314 the file is our own
            if not element.tag.endswith("}page"):
                continue
            inner = {child.tag.rsplit("}", 1)[1]: child for child in element.iter()}
            if inner["ns"].text == "0":
                redirect = inner["redirect"].get("title", "") if "redirect" in inner else ""
                yield Page(inner["title"].text or "", redirect, (inner["text"].text or "").encode())
            element.clear()


def test_a_real_dump_is_read_as_an_xml_parser_reads_it() -> None:
    pages, dropped = read(SAMPLE)
    assert pages == list(parsed(SAMPLE))
    assert (len(pages), dropped) == (33, {"other_namespace": 1})


def test_the_whole_real_dumps_too(shared: Path) -> None:
    for path in sorted((shared / "wikipedia").glob("*.bz2")):
        assert read(path)[0] == list(parsed(str(path)))


def test_the_header_names_the_namespaces_whose_links_show_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(CATS))
    assert read_header(str(path)).media == ["Datei", "Kategorie"]
    assert read_header(SAMPLE).media == ["Media", "File", "Category"]


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress])
def test_compressed_or_not(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "dump"
    path.write_bytes(pack(dump(CATS, page("AT&T", "", redirect='A "quoted" name'))))
    assert read(path)[0] == [Page("Cats", "", b"cats & <b>dogs</b>"), Page("AT&T", 'A "quoted" name', b"")]


@given(cuts=st.lists(st.integers(0, 1600), max_size=6), step=st.integers(30, 900))
@example(cuts=[1, 436], step=30)
@settings(max_examples=60)
def test_ranges_of_any_multistream_dump_hold_each_page_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], step: int
) -> None:
    content = dump(*(page(f"Page {number}", "x" * 9 * number + "y") for number in range(4)))
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    packed = b"".join(bz2.compress(content[a:b]) for a, b in pairwise(places))
    path = tmp_path_factory.mktemp("ranges") / "dump.xml.bz2"
    path.write_bytes(packed)
    found = [one for start in range(0, len(packed), step) for one in read(path, start, start + step)[0]]
    assert [one.title for one in found] == [f"Page {number}" for number in range(4)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (page("Talk:Cats", "x", namespace=1), "other_namespace"),
        (page("Data", "{}", model="json"), "other_model"),
        (page("Empty", " \n"), "empty_page"),
        (CATS.replace("</text>", ""), "malformed_page"),
        (CATS.replace("<title>", "<titel>"), "malformed_page"),
        (CATS.replace("</page>", ""), "malformed_page"),
        (CATS.replace("cats ", "cats <b>"), "malformed_page"),
    ],
)
def test_a_page_that_is_not_wanted_or_not_whole_is_one_page_lost(tmp_path: Path, raw: str, reason: str) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(DOGS, raw, page("More", "x"), page("Last", "y")))
    pages, dropped = read(path)
    assert (len(pages) + 1, dropped) == (3 if raw.count("</page>") == 0 else 4, {reason: 1})
    assert (pages[0].title, pages[-1].title) == ("Dogs", "Last")


def test_text_that_is_not_utf8_is_one_page_lost(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(CATS, DOGS).replace(b"cats &", b"c\xff\xfets &"))
    assert read(path) == ([Page("Dogs", "", b"dogs")], {"invalid_utf8": 1})


def test_an_absent_text_is_an_empty_page(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(CATS).replace(b">cats &amp; &lt;b&gt;dogs&lt;/b&gt;</text>", b" />"))
    assert read(path) == ([], {"empty_page": 1})


def test_characters_by_number_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(page("A", "x")).replace(b">x<", b">&#039;&#xe9;&amp;#65;<"))
    assert read(path)[0][0].text == "'é&#65;".encode()


LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected <mediawiki>"),
        (b"<rss><channel/></rss>", "found '<rss><channel/></rss>', expected <mediawiki>"),
        (dump(CATS).replace(b"mediawiki.org/xml", b"example.org/xml"), "expected <mediawiki> in the namespace"),
        (LAUGHS.encode() + dump(CATS), "byte 22 of the XML: found <!DOCTYPE; .*entities are not expanded"),
        (dump(CATS)[: -len(END)], "the file ends before </mediawiki>; it is truncated"),
        (dump(CATS, DOGS)[:-90], "the file ends before </mediawiki>; it is truncated"),
        (HEADER.encode(), "the file ends before </mediawiki>; it is truncated"),
        (bz2.compress(dump(CATS))[:-20], "stream at byte 0: the file ends within it; it is truncated"),
        (bz2.compress(HEADER.encode()) + bz2.compress(CATS.encode()), "the file ends before </mediawiki>"),
    ],
)
def test_what_is_no_whole_dump_is_an_error_that_names_the_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"dump\.xml\.bz2: .*{said}"):
        read(path)


def test_the_range_that_reaches_the_end_sees_that_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml.bz2"
    head, cats = bz2.compress(HEADER.encode()), bz2.compress(CATS.encode())
    path.write_bytes(head + cats)
    with pytest.raises(InputError, match=f"in the stream at byte {len(head)}: .*truncated"):
        read(path, len(head))


def test_a_page_of_ten_megabytes_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(dump(page("Long", "dog " * 2_500_000), DOGS), 1))
    started = time.process_time()
    assert [len(found.text) for found in read(path)[0]] == [10_000_000, 4]
    assert time.process_time() - started < 10


def test_a_page_without_an_end_is_refused_before_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wikipedia, "MAX_PAGE_BYTES", 1 << 20)
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(page("Long", "x" * (1 << 22))))
    with pytest.raises(InputError, match="no </page> within 1,048,576 bytes"):
        read(path)


def test_dumps_one_after_the_other_are_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(dump(CATS) + dump(DOGS))
    assert [found.title for found in read(path)[0]] == ["Cats", "Dogs"]
