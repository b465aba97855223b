"""Samples of the report: chosen by coin, shown from images that were encoded anew."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from tests.fetched import jpeg
from witbuild.io import tars
from witbuild.report import samples


def tar(path: Path, keys: list[str], record: bytes = b'{"caption": "a dog", "queries": ["dog"]}') -> str:
    with path.open("wb") as stream, tars.TarWriter(stream) as writer:
        for key in keys:
            writer.add(f"{key}.jpg", jpeg(len(key), side=16))
            writer.add(f"{key}.json", record)
    return str(path)


def decoded(uri: str | None) -> Image.Image:
    assert uri is not None
    kind, _, content = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_large_image_becomes_small_and_loses_what_it_carried() -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "<script>planted</script>"
    Image.new("RGB", (1600, 900), "red").save(stream, "JPEG", exif=exif, comment=b"planted too")
    small = decoded(samples.thumbnail(stream.getvalue()))
    assert small.size == (280, 158)
    assert small.getpixel((3, 3)) == pytest.approx((254, 0, 0), abs=3)
    assert "exif" not in small.info and "comment" not in small.info


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_become_jpeg(kind: str) -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (30, 20), (0, 0, 255, 128)).save(stream, kind)
    assert decoded(samples.thumbnail(stream.getvalue())).size == (30, 20)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"<svg/>", jpeg(1)[:100], b"GIF89a" + bytes(20)])
def test_what_cannot_be_decoded_has_no_picture(content: bytes) -> None:
    assert samples.thumbnail(content) is None


def test_a_bomb_is_not_decoded() -> None:
    stream = io.BytesIO()
    Image.new("1", (20_000, 9_000)).save(stream, "PNG")
    assert samples.thumbnail(stream.getvalue()) is None


def test_the_coin_chooses_and_no_more_tars_are_read_than_needed(tmp_path: Path) -> None:
    keys = [f"{i:032x}" for i in range(40)]
    first, second = tar(tmp_path / "a.tar", keys[:30]), tar(tmp_path / "b.tar", keys[30:])
    chosen = samples.choose([first, "/no/such.tar"], 24)
    assert len(chosen) == 24
    assert chosen == samples.choose([first, second], 24)
    assert len(samples.choose([first, second], 100)) == 40
    tile = chosen[0]
    assert (tile.caption, tile.queries, tile.width) == ("a dog", ["dog"], -1)


@pytest.mark.parametrize("record", [b"", b"[]", b"\xff", b'{"caption": 3, "queries": {}, "width": "x"}', b"[" * 99999])
def test_strange_tars_still_make_tiles(tmp_path: Path, record: bytes) -> None:
    (tile,) = samples.choose([tar(tmp_path / "a.tar", ["00000123"], record)], 5)
    assert (tile.queries, tile.width, tile.page_url) == ([], -1, "")
    assert tile.image is not None


def test_hostile_images_never_stop_a_report(shared: Path) -> None:
    tried = refused = 0
    with tarfile.open(shared / "hostile" / "hostile.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.size < 2_000_000:
                tried, refused = tried + 1, refused + (samples.thumbnail(content.read()) is None)
    assert tried > 500
    assert refused > tried / 2
