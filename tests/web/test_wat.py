"""WAT records: the page in them, its images, its place in the WARC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from witbuild.web import wat


def block(html: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(
        {
            "Container": {"Filename": "x.warc.gz", "Offset": "846", "Gzip-Metadata": {"Deflate-Length": "1550"}},
            "Envelope": {
                "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": "http://a.test/p", **changes},
                "Payload-Metadata": {
                    "HTTP-Response-Metadata": {
                        "Response-Message": {"Status": "200"},
                        "Headers": {"X-Robots-Tag": ["noai", "x: y"]},
                        "HTML-Metadata": html,
                    }
                },
            },
        }
    ).encode()


def test_a_record() -> None:
    told = wat.read(
        block(
            {
                "Head": {
                    "Base": "/b/",
                    "Metas": [
                        {"name": "robots", "content": "noindex"},
                        {"property": "og:image", "content": "o.jpg"},
                        {"property": "og:image:alt", "content": "og text"},
                    ],
                    "Link": [{"path": "LINK@/href", "rel": "license", "url": "/terms"}],
                },
                "Links": [
                    {"path": "IMG@/src", "url": "i.jpg", "alt": "alt text", "title": "a title", "width": "30"},
                    {"path": "A@/href", "url": "/x"},
                    {"path": "IMG@/src", "alt": "no address"},
                ],
            }
        )
    )
    assert told is not None
    assert (told.url, told.status, told.warc, told.offset, told.length) == (
        "http://a.test/p",
        200,
        "x.warc.gz",
        846,
        1550,
    )
    assert (told.page.base, told.page.licence, told.page.opt_out) == ("/b/", "/terms", ("noai", "noindex"))
    assert [one.references for one in told.page.images] == [("i.jpg",), (), ("o.jpg",)]
    assert told.page.images[0].texts == (("alt", "alt text"), ("title", "a title"))
    assert told.page.images[0].width == 30


@pytest.mark.parametrize("kind", ["request", "metadata", "warcinfo", None, 7])
def test_records_of_other_kinds_tell_nothing(kind: Any) -> None:
    assert wat.read(block({}, **{"WARC-Type": kind})) is None


@pytest.mark.parametrize(
    "html",
    [
        {"Head": None, "Links": None},
        {"Head": [], "Links": {"a": 1}},
        {"Head": {"Metas": [None, 1, {"content": []}], "Base": {}, "Link": "x"}, "Links": [None, [], {"path": []}]},
        {"Links": [{"path": "IMG@/src", "url": {}, "alt": ["x"], "width": {}}]},
    ],
)
def test_values_of_the_wrong_kind_are_passed_over(html: dict[str, Any]) -> None:
    told = wat.read(block({**html, "Title": "IMG@ is what pages with images have"}))
    assert told is not None
    assert all(one.texts == () for one in told.page.images)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"nul"])
def test_what_is_no_json_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wat.read(content)


def test_any_json_is_survived(shared_hostile: dict[str, bytes]) -> None:
    for name, body in shared_hostile.items():
        if name.startswith("json/"):
            try:
                assert wat.read(body) is None
            except ValueError:
                continue


def test_a_real_record(shared: Path) -> None:
    told = wat.read((shared / "warc" / "wat_record_01marocain_2016.json").read_bytes())
    assert told is not None
    assert told.url == "http://01marocain.online.fr/"
    assert told.warc == "CC-MAIN-20160205193905-00000-ip-10-236-182-209.ec2.internal.warc.gz"
    assert (told.offset, told.length) == (846, 1550)
    (image,) = told.page.images
    assert image.references == ("http://01marocain.online.fr/themes/02/logo.gif",)
    assert image.texts == ()
