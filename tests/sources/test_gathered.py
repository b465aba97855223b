"""WATs by compiled passes: pair for pair, loss for loss what `witbuild.web.wat` and the candidates make of them."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warcs import packed, record
from witbuild.schema import PAIRS
from witbuild.sources import wat_rows
from witbuild.sources.candidates import Candidates
from witbuild.sources.commoncrawl import Wat
from witbuild.stages.harvest import Harvest
from witbuild.web import whole
from witbuild.web.warc import Record, records

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


@settings(max_examples=80, deadline=None)
@given(found=st.lists(pages(500), min_size=1, max_size=4), escape=st.booleans(), limit=st.none() | st.integers(1, 6))
def test_usual_records_give_what_the_parser_gives(found: list[Any], limit: int | None, *, escape: bool) -> None:
    same(wat(*(dumped(page, escape=escape) for page in found)), limit)


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=80, deadline=None)
@given(pages(500), st.data())
def test_a_record_with_a_byte_changed_gives_what_the_parser_gives(page: Any, data: st.DataObject) -> None:
    block = bytearray(dumped(page, escape=data.draw(st.booleans())))
    place = data.draw(st.integers(0, len(block) - 1))
    block[place : place + data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(CHANGES))
    same(wat(bytes(block), dumped(told([image()]))))


HEADS = (
    b"warc-type: metadata", b"WARC-Type: response", b"WARC-Type:metadata", b"WARC-Type: metadata ",
    b"Content-Type: text/json-x", b"Content-Type: text/plain", b"Content-Length: 7", b"Content-Length: +9",
    b" folded", b"X: y", b"X", b":", b"WARC-Type: metadata\x80",
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_head_of_a_record_is_read_as_before(data: st.DataObject) -> None:
    block = dumped(told([image()]))
    lines = record(block, kind="metadata").split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    for line in data.draw(st.lists(st.sampled_from(HEADS), max_size=2)):
        place = data.draw(st.integers(0, len(lines)))
        lines[place : place + data.draw(st.integers(0, 1))] = [line]
    end = data.draw(st.sampled_from((b"\r\n\r\n", b"\r\n", b"", b"\n\n", b"\r\n\r\n\r\n")))
    member = data.draw(st.sampled_from((b"\r\n", b"\r\n", b"\n"))).join(lines) + b"\r\n\r\n" + block + end
    usual = record(dumped(told([image("j.jpg")])), kind="metadata")
    same(packed(usual, member, usual.replace(b"j.jpg", b"k.jpg")))


@pytest.mark.parametrize("rest", [b"rubbish" * 99, b"\x1f\x8b\x08", bytes(999), b"WARC/1.0\r\n\r\n"])
def test_damage_costs_itself_alone(rest: bytes) -> None:
    one, other = (wat(dumped(told([image(f"{name}.jpg")]))) for name in "ij")
    for archive in (one + rest + other, one + other[:-9] + other, one + other[:300], one + other + rest, rest + one):
        same(archive)


def test_records_that_share_a_member_or_lie_plain() -> None:
    one, other = (
        record(dumped(told([image(f"{name}.jpg")], container={"Filename": ""})), kind="metadata") for name in "ij"
    )
    for archive in (packed(one + other), packed(one, other + one, other), one + other):
        same(archive)
    mixed = packed(one) + other
    assert fast(mixed)[0]["key"].equals(slow(mixed)[0]["key"])
    assert [row["source_offset"] for row in same(packed(one, other)).to_pylist()] == [0, len(packed(one))]


PARTS = [
    *(wat(dumped(told([image(f"{name}.jpg"), image("no caption.jpg", "")]))) for name in "ijk"),
    wat(dumped(told([image("odd.jpg", "x\ufffd")]))),
    wat(b"{"),
    packed(record(b"", kind="warcinfo")),
    packed(record(dumped(told([image("a.jpg")])), kind="metadata") + record(b"[]", kind="metadata")),
    wat(dumped(told([image("l.jpg")])))[:-9],
    b"rubbish",
    b"\x1f\x8b\x08",
]


@pytest.mark.parametrize("most", [0, 4_096])
@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=14), st.none() | st.integers(1, 4))
def test_members_are_read_as_such_again_with_the_same_outcome(most: int, parts: list[bytes], limit: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "_MOST_WAIT", most)
        same(b"".join(parts), limit)


def test_few_records_behind_damage_are_left_to_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Record] = []
    usual = Wat.read

    def counted(self: Wat, found: Record, path: str, out: Candidates) -> None:
        read.append(found)
        usual(self, found, path, out)

    monkeypatch.setattr(Wat, "read", counted)
    large = wat(dumped(told([image(f"{n}.jpg", random.Random(n).randbytes(900).hex()) for n in range(900)])))
    run = large * (2 * whole._WORTH_BYTES // len(large))
    assert fast((run + b"rubbish") * 3 + run)[0].num_rows == 900
    assert len(read) < 3 * 8


def test_more_rows_than_the_buffers_hold_keep_their_order() -> None:
    blocks = [dumped(told([image(f"{page}-{n}.jpg", f"alt {n}") for n in range(900)])) for page in range(40)]
    table = same(wat(*blocks[:20], dumped(told([image("http:odd.jpg")])), *blocks[20:], blocks[0]))
    assert table.num_rows == 900 * 40 + 1
    assert table["url"].to_pylist()[900 * 20] == "http://a.test/d/odd.jpg"


def test_addresses_larger_than_the_buffers() -> None:
    links = [image(f"{'x' * 1_200}{n}.jpg", "y" * 1_900) for n in range(3_000)]
    assert same(wat(dumped(told(links)))).num_rows == 3_000


@pytest.mark.parametrize(
    "links",
    [
        [image(alt="x" * 10_000_000)],
        [image(url="x" * 9_000_000)],
        [image(url="data:" + "x" * 9_000_000), image("j.jpg")],
        [{"path": "A@/href", "url": "/", "rel": "license" * 1_000_000}, image()],
        [{"path": "A@/href", "url": " //x", "rel": "license"}] * 20_000 + [image()],
        [image(f"{n}.jpg") for n in range(30_000)],
        [image("i.jpg") for n in range(10_001)],
        [{"path": "A@/href", "url": "/x"} for n in range(100_000)] + [image()],
    ],
)
def test_pages_without_measure(links: list[dict[str, Any]]) -> None:
    same(wat(dumped(told(links)), dumped(told([image("last.jpg")]))))


def test_nesting_without_measure() -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    same(
        wat(
            b'{"Envelope":' + deep + b"}",
            dumped(told([image()])),
            b'{"Container":{"a":' * 9_999,
            dumped(told([image("j")])),
        )
    )


def test_real_records(shared: Path) -> None:
    block = (shared / "warc" / "wat_record_01marocain_2016.json").read_bytes()
    assert same(wat(block)).num_rows == 0
    assert SOURCE.candidates(None).member(record(block, kind="metadata")) == wat_rows.NOTHING
    titled = block.replace(b'"alt":""', b'"alt":"a logo"')
    (row,) = same(wat(titled)).to_pylist()
    assert (row["caption"], row["source_offset"], row["source_length"]) == ("a logo", 846, 1550)
    assert SOURCE.candidates(None).member(record(titled, kind="metadata")) == wat_rows.TOLD
    for name in ("whirlwind.warc.wat.gz", "whirlwind.warc.wat", "whirlwind.warc.gz", "whirlwind.warc.wet.gz"):
        assert same((shared / "whirlwind" / name).read_bytes()).num_rows == 0


def test_hostile_archives_and_json_are_survived(shared_hostile: dict[str, bytes]) -> None:
    for name, body in shared_hostile.items():
        if name.startswith(("json/", "warc/")):
            same(body)
            same(wat(body, dumped(told([image()]))))


@pytest.mark.parametrize("rel", ["nofollow", "sublicense", "license"])
@pytest.mark.parametrize("url", COMMONS)
def test_licences_of_the_head_count_too(url: str, rel: str) -> None:
    link = {"path": "A@/href", "url": url, "rel": rel}
    same(wat(dumped(told([image()], {"Link": [link]})), dumped(told([image("j.jpg"), link], {"Link": [link]}))))


@pytest.mark.parametrize("name", ["", " ", "\u202e", "\x7f", "x y", "ä.gz", "\u2019", '"', None, 3])
def test_the_name_of_the_archive(name: Any) -> None:
    for escape in (True, False):
        same(wat(dumped(told([image()], container={"Filename": name}), escape=escape)))


def test_opt_outs_that_name_us() -> None:
    named = [{"name": name, "content": "noai"} for name in ("My_Bot", "otherbot")]
    pages = [told([image(f"{n}.jpg")], {"Metas": named[n : n + 1]}) for n in range(2)]
    assert same(wat(*map(dumped, pages)))["opt_out"].to_pylist() == ["noai", None]


@pytest.mark.parametrize("text", TAME_TEXTS + TEXTS)
@pytest.mark.parametrize("url", ["o.jpg", "data:x", "javascript:1", "", " "])
def test_open_graph_counts_only_with_a_text(url: str, text: str) -> None:
    metas = [{"property": "og:image", "content": url}, {"property": "og:title", "content": text}]
    same(wat(dumped(told([image()], {"Metas": metas}))))
    same(wat(dumped(told([], {"Metas": [*metas, {"property": "og:image:alt", "content": "alt"}]}))))


def test_an_image_that_says_a_text_twice_says_it_once() -> None:
    table = same(wat(dumped(told([image(alt="x", title=" x\n"), image("j.jpg", "x", title="y")]))))
    assert table["caption_source"].to_pylist() == ["alt", "alt", "title"]


def test_the_first_of_what_open_graph_says_twice_counts() -> None:
    said = (
        ("image", "o.jpg"),
        ("image:alt", "a"),
        ("image:alt", "b"),
        ("image:width", "3"),
        ("image:width", "4"),
        ("title", "c"),
    )
    more = (("title", "d"), ("image:url", "o.jpg"), ("image", "p.jpg"), ("image:height", "5"), ("image", "p.jpg"))
    metas = [{"property": f"og:{name}", "content": content} for name, content in said + more]
    rows = same(wat(dumped(told([], {"Metas": metas})))).to_pylist()
    assert [(row["caption"], row["width"], row["height"]) for row in rows] == [("a", 3, None), ("c", None, 5)]
