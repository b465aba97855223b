"""What an image's own metadata says of data mining: evidence of rights, read from bytes without a parser or a decoder.

XMP lies in plain text in every format (ISO 16684-1, annex on packets; part 3 of the specification), so it is found by
its markers wherever the container put it, within bounds, whatever else in the body is broken.
"""

from __future__ import annotations

import re

MAX_PACKETS = 8
MAX_PACKET_BYTES = 1 << 20

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_STARTS = tuple(("<x:xmpmeta".encode(name), "</x:xmpmeta".encode(name), name) for name in _ENCODINGS)
# The property's name, then its value: as an attribute, as an element's text or as its rdf:resource.
_MINING = re.compile(r":DataMining\b")
_VALUE = re.compile(r"[^<]{0,200}?\b(DMI-[A-Z]{1,40}(?:-[A-Z]{1,40}){0,3})")
_RESERVED = re.compile(r"\btdm:reservation\b\s{0,20}(?:=\s{0,20}[\"']|>)\s{0,20}1\b")


def signals(body: bytes) -> tuple[str, ...]:
    r"""Return what an image's XMP says of data mining, sorted.

    The property DataMining of PLUS (IPTC Photo Metadata 2023.1, "Data Mining") as `plus:` and its value; the
    reservation of the TDM protocol (W3C community group, 2024, section 4) as `tdm-reservation`.

    Args:
        body: of an image, as served; anything may be in it.

    Example:
        >>> packet = b'<x:xmpmeta><rdf:Description plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'
        >>> signals(b"\xff\xd8..." + packet + b"</x:xmpmeta>")
        ('plus:DMI-PROHIBITED',)
        >>> signals(b"")
        ()
    """
    found: set[str] = set()
    for packet in _packets(body):
        said = map(_VALUE.match, dict.fromkeys(_MINING.split(packet)[1:]))  # cut at names: no text is searched twice
        found |= {f"plus:{value[1]}" for value in said if value}
        found |= {"tdm-reservation"} if _RESERVED.search(packet) else set()
    return tuple(sorted(found))


def refuses(signal: str) -> bool:
    """Say whether a signal says no: every value of PLUS that prohibits, whatever it excepts, and a reservation.

    Example:
        >>> refuses("plus:DMI-PROHIBITED-AIMLTRAINING"), refuses("plus:DMI-ALLOWED"), refuses("tdm-reservation")
        (True, False, True)
    """
    return signal.startswith("plus:DMI-PROHIBITED") or signal == "tdm-reservation"


def _before_pixels(body: bytes) -> bytes:
    """Return a JPEG's segments up to its first scan, where metadata lies; of anything else, all."""
    place = 2
    while body[:3] == b"\xff\xd8\xff" and body[place : place + 1] == b"\xff":
        if body[place + 1 : place + 2] == b"\xda":
            return body[:place]
        place += 2 + max(2, int.from_bytes(body[place + 2 : place + 4], "big"))
    return body


def _packets(body: bytes) -> list[str]:
    """Return the text of a body's XMP packets; one without an end counts as far as it may reach."""
    found: list[str] = []
    body = _before_pixels(body)
    for start, stop, encoding in _STARTS:
        place = body.find(start)
        while place >= 0 and len(found) < MAX_PACKETS:
            most = place + MAX_PACKET_BYTES
            end = body.find(stop, place, most)
            found.append(body[place : end if end >= 0 else most].decode(encoding, "replace"))
            place = body.find(start, place + len(start))
    return found
