"""Candidates: cleaned, resolved, each key once, every loss counted."""

from __future__ import annotations

import pytest

from witbuild.schema import PAIRS
from witbuild.sources.candidates import Candidates, Place
from witbuild.text.keys import pair_key
from witbuild.web import html

PAGE = "http://a.test/dir/page.html"


def harvest(text: str, url: str = PAGE, limit: int | None = None) -> Candidates:
    out = Candidates("warc", limit)
    out.page(html.read(text.encode()), url, Place("x.warc.gz", 7, 9))
    return out


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("<img src=i.jpg alt=x>", "http://a.test/dir/i.jpg"),
        ("<img src=/i.jpg alt=x>", "http://a.test/i.jpg"),
        ("<img src=//b.test/i.jpg alt=x>", "http://b.test/i.jpg"),
        ("<img src=https://b.test/i.jpg alt=x>", "https://b.test/i.jpg"),
        ("<base href=/other/><img src=i.jpg alt=x>", "http://a.test/other/i.jpg"),
        ("<base href=//cdn.test/><img src=i.jpg alt=x>", "http://cdn.test/i.jpg"),
        ("<base href='javascript:1'><img src=i.jpg alt=x>", "http://a.test/dir/i.jpg"),
        ("<img src='a b.jpg' alt=x>", "http://a.test/dir/a%20b.jpg"),
        ("<img src='?a&amp;b' alt=x>", "http://a.test/dir/page.html?a&b"),
    ],
)
def test_addresses_are_resolved_as_browsers_do(text: str, url: str) -> None:
    assert harvest(text).table()["url"].to_pylist() == [url]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("<img src=a>", {"no_caption": 1}),
        ("<img src=a alt=''>", {"no_caption": 1}),
        ("<img src=a alt=' \u202e\n'>", {"no_caption": 1}),
        ("<img alt=x>", {"no_url": 1}),
        ("<img src=data:image/gif;base64,R0 alt=x>", {"data_url": 1}),
        ("<img src='javascript:1' alt=x>", {"bad_url": 1}),
        ("<img src='http://' alt=x>", {"bad_url": 1}),
        (f"<img src='{'x' * 20_000}' alt=x>", {"bad_url": 1}),
        ("<img src=a alt='\ufffd'>", {"bad_encoding": 1}),
        ("<img src=a alt=x><img src=a alt=' x '>", {"same_key": 1}),
        ("<img src=a alt=x title=x>", {}),
    ],
)
def test_losses_have_a_reason(text: str, reasons: dict[str, int]) -> None:
    assert dict(harvest(text).dropped) == reasons


def test_an_image_with_several_texts_gives_several_candidates() -> None:
    table = harvest("<img src=a alt=one title=two>").table()
    assert table.select(["caption", "caption_source"]).to_pylist() == [
        {"caption": "one", "caption_source": "alt"},
        {"caption": "two", "caption_source": "title"},
    ]


def test_a_row_says_all_that_is_known_and_nothing_else() -> None:
    text = "<html lang=en><meta name=robots content=noai><a rel=license href=/l>l</a><img src=a alt=x width=3 height=4>"
    table = harvest(text).table()
    assert table.schema.equals(PAIRS)
    (row,) = table.to_pylist()
    known = {
        "key": pair_key("http://a.test/dir/a", "x"),
        "url": "http://a.test/dir/a",
        "caption": "x",
        "caption_source": "alt",
        "page_url": PAGE,
        "source": "warc",
        "source_file": "x.warc.gz",
        "source_offset": 7,
        "source_length": 9,
        "licence": "http://a.test/l",
        "opt_out": "noai",
        "page_language": "en",
        "width": 3,
        "height": 4,
    }
    assert row == {name: known.get(name) for name in PAIRS.names}


def test_the_limit_stops_and_counts() -> None:
    out = harvest("<img src=a alt=1><img src=b alt=2><img src=c alt=3>", limit=2)
    assert out.full
    assert out.table().num_rows == 2
    assert dict(out.dropped) == {"over_limit": 1}


def test_nothing_found_is_an_empty_table() -> None:
    table = Candidates("warc").table()
    assert (table.num_rows, table.schema.equals(PAIRS)) == (0, True)


def test_many_rows_keep_their_order() -> None:
    out = Candidates("list")
    for number in range(70_000):
        out.add(f"http://a.test/{number}", "x", caption_source="list", place=Place("l", number))
    assert out.table()["source_offset"].to_pylist() == list(range(70_000))


def test_lone_surrogates_cannot_reach_a_table() -> None:
    out = Candidates("list")
    out.add("http://a.test/", "a \ud800 b", caption_source="list", place=Place())
    assert out.table()["caption"].to_pylist() == ["a b"]
