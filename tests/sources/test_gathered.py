"""WATs by compiled passes: pair for pair, loss for loss what `witbuild.web.wat` and the candidates make of them."""

from __future__ import annotations

import io
import json
from typing import Any, cast

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warcs import packed, record
from witbuild.schema import PAIRS
from witbuild.sources import wat_rows
from witbuild.sources.candidates import Candidates
from witbuild.sources.commoncrawl import Wat
from witbuild.stages.harvest import Harvest
from witbuild.web.warc import records

SOURCE = cast("Wat", Harvest(source="wat", inputs=("x.wat.gz",), user_agent="My_Bot/1 (+a@b.test)").reader())
Result = tuple[pa.Table, dict[str, int]]


def fast(archive: bytes, limit: int | None = None) -> Result:
    out = SOURCE.candidates(limit)
    SOURCE.archive(io.BytesIO(archive), "/x.wat.gz", out)
    return out.table(), dict(out.dropped)


def slow(archive: bytes, limit: int | None = None) -> Result:
    out = Candidates("wat", limit)
    SOURCE.all(records(io.BytesIO(archive)), "/x.wat.gz", out)
    return out.table(), dict(out.dropped)


def same(archive: bytes, limit: int | None = None) -> pa.Table:
    """Hold both ways equal; return the table."""
    (ours, lost), (wanted, wanted_lost) = fast(archive, limit), slow(archive, limit)
    assert ours.to_pylist() == wanted.to_pylist()
    assert lost == wanted_lost
    assert ours.schema.equals(PAIRS)
    ours.validate(full=True)
    return ours


def told(links: Any, head: Any = None, **changes: Any) -> dict[str, Any]:
    """What a WAT tells of a page."""
    answer = {
        "Response-Message": {"Version": "HTTP/1.1", "Status": changes.pop("status", "200"), "Reason": "OK"},
        "Headers": changes.pop("headers", {"Content-Type": "text/html"}),
        "HTML-Metadata": {"Head": {"Title": "a title"} if head is None else head, "Links": links},
        **changes.pop("answer", {}),
    }
    place = {"Filename": "x.warc.gz", "Compressed": True, "Offset": "846", "Gzip-Metadata": {"Deflate-Length": "1550"}}
    header = {"WARC-Type": "response", "WARC-Target-URI": "http://a.test/d/p?q#f", **changes.pop("header", {})}
    payload = {"Actual-Content-Type": "application/http", "HTTP-Response-Metadata": answer, "Trailing-Slop-Length": "4"}
    envelope = {"Payload-Metadata": payload, "Format": "WARC/1.0", "WARC-Header-Metadata": header}
    return {"Container": {**place, **changes.pop("container", {})}, "Envelope": envelope, **changes}


def dumped(value: Any, *, escape: bool = True, tight: bool = True) -> bytes:
    text = json.dumps(value, ensure_ascii=escape, separators=(",", ":") if tight else None)
    return text.encode("utf-8", "surrogatepass")


def wat(*blocks: bytes) -> bytes:
    return packed(*(record(block, kind="metadata") for block in blocks))


def image(url: Any = "i.jpg", alt: Any = "alt text", **rest: Any) -> dict[str, Any]:
    return {"path": "IMG@/src", "url": url, "alt": alt, **rest}


TAME_ADDRESSES = (
    "i.jpg", "/a b.jpg", "../x", "//b.test/x", "https://b.test:81/ä?q#f", "", "  ", " i.jpg\t",
    "data:image/gif;base64,R0", " DATA:x", "data:" + "A" * 9_000, "javascript:1", "?",
    "http://A.test:80/<x>",
)  # fmt: skip
ADDRESSES = (
    "\u00a0i.jpg", "i.jpg\u3000", "http://", "http:x", "http://bücher.test/", "h\nttp://a.test/",
    "x" * 4_000, "x" * 20_000, "\ud800", "http://a.test/\\x", "%2e%2e/x", "http://1.2.3.4/",
)  # fmt: skip
TAME_TEXTS = (
    "alt text", "", " ", "a\u2019b “c”", "\n\tx  y ", "\u202e", "x\u202ey", "a" * 1_999, "\0", "</b>", '"',
    "\\", "日本語", "\u3000", "\ufeffx", "title",
)  # fmt: skip
TEXTS = ("\ufffd", "ä" * 1_500, "x " * 3_000, "x" * 70_000, "😀", "\ud83d")
TAME_SIZES = (
    "30", "30px", "50%", "", "auto", " +7.5 PX ", "0", "9" * 9, "9" * 10, "30 x", "-1", "3.px", "+",
    "3.4.5",
)  # fmt: skip
SIZES = ("0" * 33, "3\u00a0px", "\u0663", "30\t")
TAME_NAMES = (
    "og:image", "og:image:url", "og:title", "og:image:alt", "og:image:width", "og:image:height",
    "og:image:type", "OG:Title", "og:images", "robots", "ROBOTS", "tdm-reservation", "content-usage",
    "viewport", "", "my_bot", "My_bot",
)  # fmt: skip
NAMES = (" og:image", "og:image ", "Óg:image", "\u0131")
TAME_CONTENTS = ("o.jpg", "p.jpg", "og text", "", "noindex, noai", "1", "train-ai=n", "300", "data:x")
CONTENTS = (" ", "\u2019", "\ufffd", "o\\.jpg")
RELS = ("nofollow", "license", "License noopener", "sublicense", "x\tlicense")
COMMONS = (
    "http://creativecommons.org/licenses/by/4.0/", "//www.creativecommons.org/publicdomain/zero",
    "/creativecommons.org/", " HTTPS://CreativeCommons.org/licenses/x", "http://creativecommons.org/about",
    "https://creative.test/", "http:\\creativecommons.org/licenses/by",
    "https://www.creativecommons.org/licenses/by",
)  # fmt: skip
ODD: st.SearchStrategy[Any] = (
    st.none() | st.integers(0, 9) | st.just([]) | st.just({}) | st.just(["x"]) | st.just({"x": [1, {"y": None}]})
)
TWISTED = st.sampled_from((
    {"WARC-Type": "request"}, {"WARC-Type": None}, {"WARC-Target-URI": "http://b.test"},
    {"WARC-Target-URI": "mailto:x"},
    {"WARC-Target-URI": "http://bücher.test/"}, {"WARC-Target-URI": ""},
    {"WARC-Target-URI": "http://a.test/" + "x" * 4_050},
))  # fmt: skip
PLACES = st.sampled_from((
    {"Filename": ""}, {"Filename": "y.warc.gz"}, {"Filename": "\u202e"}, {"Filename": None}, {"Offset": "1e3"},
    {"Offset": 846},
    {"Offset": "9" * 16}, {"Offset": "\u2019"}, {"Gzip-Metadata": {}}, {"Gzip-Metadata": None},
))  # fmt: skip


def rarely(usual: st.SearchStrategy[Any], unusual: st.SearchStrategy[Any], times: int) -> st.SearchStrategy[Any]:
    """Draw an unusual value about once in so many times."""
    return st.integers(0, times).flatmap(lambda number: unusual if number == times else usual)


def pages(times: int) -> st.SearchStrategy[dict[str, Any]]:
    """Records with an unusual value in about one of so many places."""

    def among(tame: tuple[str, ...], wild: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
        return rarely(st.sampled_from(tame), st.sampled_from(wild) | ODD if wild else ODD, times)

    links = st.fixed_dictionaries(
        {"path": rarely(st.sampled_from(("IMG@/src", "A@/href")), st.sampled_from(("LINK@/href", "IMG@", "Ä", "")), 5)},
        optional={
            "url": among(TAME_ADDRESSES, ADDRESSES) | st.sampled_from(COMMONS),
            "alt": among(TAME_TEXTS, TEXTS),
            "title": among(TAME_TEXTS, TEXTS),
            "width": among(TAME_SIZES, SIZES),
            "height": among(TAME_SIZES, SIZES),
            "text": st.sampled_from(TEXTS + TAME_TEXTS),
            "rel": among(RELS),
            "target": st.just("_blank"),
        },
    )
    metas = st.fixed_dictionaries(
        {"content": among(TAME_CONTENTS, CONTENTS)},
        optional={"name": among(TAME_NAMES, NAMES), "property": among(TAME_NAMES, NAMES), "http-equiv": st.just("x")},
    )
    bases = rarely(
        st.sampled_from(("/b/", "http://c.test/x/", "", "javascript:1", "../", "ä/")),
        ODD | st.sampled_from((" ", "x" * 5_000)),
        times,
    )
    heads = st.fixed_dictionaries(
        {},
        optional={
            "Title": st.just("t"),
            "Base": bases,
            "Metas": rarely(st.lists(metas, max_size=6), ODD, times),
            "Link": rarely(st.lists(links, max_size=3), ODD, times),
            "Scripts": st.just([{"path": "SCRIPT@/src", "url": "/x.js"}]),
        },
    )
    headers = st.dictionaries(
        rarely(
            st.sampled_from(("X-Robots-Tag", "x-robots-tag", "TDM-Reservation", "Date")),
            st.sampled_from((" X-Robots-Tag", "X-ö", "")),
            times,
        ),
        rarely(st.sampled_from(("noai", "my_bot: noindex", "1", "\u2019")), ODD | st.just(["noai"]), times),
        max_size=3,
    )
    statuses = st.sampled_from(("0200", "2\u0660\u0660", "", 200, None, "404", "20\u0030"))
    return st.builds(
        told,
        rarely(st.lists(links, max_size=8), ODD, times),
        st.none() | heads,
        headers=headers,
        status=rarely(st.sampled_from(("200", "203")), statuses, times),
        header=rarely(st.just({}), TWISTED, times),
        container=rarely(st.just({}), PLACES, times),
    )


def test_usual_records_take_no_parser() -> None:
    """Else the tests below would hold the parser equal to itself."""
    links = (
        [image(one) for one in TAME_ADDRESSES]
        + [image(alt=one) for one in TAME_TEXTS]
        + [image(width=one) for one in TAME_SIZES]
    )
    links += [{"path": "A@/href", "url": url, "rel": rel} for url in COMMONS for rel in RELS]
    metas = [{"name": name, "content": "o.jpg"} for name in TAME_NAMES]
    page = told(links, {"Base": "/b/", "Metas": metas, "Link": links}, headers={"X-Robots-Tag": "noai"})
    for escape in (True, False):
        out = SOURCE.candidates(None)
        content = record(dumped(page, escape=escape), kind="metadata")
        assert out.member(content) == wat_rows.TOLD
        assert same(packed(content)).num_rows == 18


@settings(max_examples=200, deadline=None)
@given(found=st.lists(pages(500), min_size=1, max_size=4), escape=st.booleans(), limit=st.none() | st.integers(1, 6))
def test_usual_records_give_what_the_parser_gives(found: list[Any], limit: int | None, *, escape: bool) -> None:
    same(wat(*(dumped(page, escape=escape) for page in found)), limit)


@settings(max_examples=100, deadline=None)
@given(found=st.lists(pages(10), min_size=1, max_size=4), escape=st.booleans(), spaced=st.integers(0, 3))
def test_unusual_records_give_what_the_parser_gives(found: list[Any], spaced: int, *, escape: bool) -> None:
    same(wat(*(dumped(page, escape=escape, tight=spaced > 0) for page in found)))


CHANGES = (
    b"",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\/",
)


@settings(max_examples=150, deadline=None)
@given(pages(500), st.data())
def test_a_record_with_a_byte_changed_gives_what_the_parser_gives(page: Any, data: st.DataObject) -> None:
    block = bytearray(dumped(page, escape=data.draw(st.booleans())))
    place = data.draw(st.integers(0, len(block) - 1))
    block[place : place + data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(CHANGES))
    same(wat(bytes(block), dumped(told([image()]))))
