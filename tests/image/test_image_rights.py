"""Rights in an image's own metadata: found in every container, in every form, in no time."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from witbuild.image.rights import MAX_PACKETS, refuses, signals

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"


def packet(inner: str) -> str:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
        f'{inner}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


PROHIBITED = packet(f'<rdf:Description plus:DataMining="{VOCABULARY}DMI-PROHIBITED-AIMLTRAINING"/>')


def image(kind: str, xmp: bytes) -> bytes:
    stream = io.BytesIO()
    options: dict[str, Any] = {"xmp": xmp}
    if kind == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": info}
    Image.new("RGB", (40, 30)).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_every_container_is_read(kind: str) -> None:
    assert signals(image(kind, PROHIBITED.encode())) == ("plus:DMI-PROHIBITED-AIMLTRAINING",)


def test_a_gif_is_read() -> None:
    body = image("GIF", b"")
    said = b"\x21\xff\x0bXMP DataXMP" + PROHIBITED.encode() + b"\x01" + bytes(range(255, -1, -1)) + b"\0\0"
    assert signals(body[:-1] + said + body[-1:]) == ("plus:DMI-PROHIBITED-AIMLTRAINING",)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f"<plus:DataMining>{VOCABULARY}DMI-PROHIBITED</plus:DataMining>", ("plus:DMI-PROHIBITED",)),
        (f'<plus:DataMining rdf:resource="{VOCABULARY}DMI-ALLOWED"/>', ("plus:DMI-ALLOWED",)),
        (f"<a plus2:DataMining = '{VOCABULARY}DMI-PROHIBITED-SEECONSTRAINT'/>", ("plus:DMI-PROHIBITED-SEECONSTRAINT",)),
        ('<a plus:DataMining="DMI-UNSPECIFIED"/>', ("plus:DMI-UNSPECIFIED",)),
        ("<a tdm:reservation='1' tdm:policy='https://a.test/'/>", ("tdm-reservation",)),
        ("<tdm:reservation>1</tdm:reservation>", ("tdm-reservation",)),
        ('<a tdm:reservation="0"/>', ()),
        ('<a tdm:reservation="10"/>', ()),
        ("<dc:description>DMI-PROHIBITED is a value of PLUS</dc:description>", ()),
        ("<plus:DataMining></plus:DataMining><dc:title>DMI-PROHIBITED</dc:title>", ()),
        ("", ()),
    ],
)
def test_every_form_is_read(inner: str, expected: tuple[str, ...]) -> None:
    assert signals(image("JPEG", packet(inner).encode())) == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_other_encodings_are_read(encoding: str) -> None:
    assert signals(b"\xff\xd8\xff\xe1" + PROHIBITED.encode(encoding)) == ("plus:DMI-PROHIBITED-AIMLTRAINING",)


def test_what_refuses() -> None:
    values = {
        "ALLOWED": False, "UNSPECIFIED": False, "PROHIBITED": True, "PROHIBITED-AIMLTRAINING": True,
        "PROHIBITED-GENAIMLTRAINING": True, "PROHIBITED-EXCEPTSEARCHENGINEINDEXING": True,
        "PROHIBITED-SEECONSTRAINT": True, "PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": True,
        "PROHIBITED-SEELINKEDRIGHTSEXPR": True,
    }  # fmt: skip
    for value, no in values.items():
        (said,) = signals(packet(f'<a plus:DataMining="{VOCABULARY}DMI-{value}"/>').encode())
        assert (said, refuses(said)) == (f"plus:DMI-{value}", no)
    assert refuses("tdm-reservation")


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(0, len(PROHIBITED)))
def test_any_bytes_are_read(before: bytes, after: bytes, kept: int) -> None:
    said = signals(before + PROHIBITED.encode()[:kept] + after)
    assert all(one.startswith(("plus:DMI-", "tdm-")) for one in said)
    assert kept < len(PROHIBITED) or "plus:DMI-PROHIBITED-AIMLTRAINING" in said


@pytest.mark.parametrize(
    "evil",
    [
        b"<x:xmpmeta" * 400_000,
        (b"<x:xmpmeta" + b":DataMining" * 90_000) * MAX_PACKETS,
        b"<x:xmpmeta:DataMining" + b"DMI-A" * 180_000,
        b"<x:xmpmeta" + b"tdm:reservation " * 60_000 + b" " * 60_000,
        b"<x:xmpmeta" + b" " * 4_000_000,
    ],
)
def test_evil_packets_take_no_time(evil: bytes) -> None:
    start = time.process_time()
    assert signals(evil) == ()
    assert time.process_time() - start < 1


def test_only_so_many_packets_are_looked_at() -> None:
    many = packet("").encode() * MAX_PACKETS + PROHIBITED.encode()
    assert signals(many) == ()
    assert signals(many[len(packet("").encode()) :]) == ("plus:DMI-PROHIBITED-AIMLTRAINING",)
