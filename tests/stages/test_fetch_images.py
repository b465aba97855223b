"""Fetch obeys what an image itself says and writes it down; it takes AVIF only where it can be decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.server import Reply, Site
from witbuild.errors import RecipeError
from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.stage import Task
from witbuild.stages.fetch.download import Download
from witbuild.text.keys import pair_key


def saying(value: str) -> bytes:
    """Return a JPEG whose XMP has a value of PLUS DataMining."""
    xmp = f'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><a plus:DataMining="DMI-{value}"/></x:xmpmeta>'.encode()
    body = jpeg(1, 300)
    return body[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + body[2:]


def test_avif_is_refused_where_it_cannot_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Download(avif=True).make().plan.avif
    monkeypatch.setattr("witbuild.image.decode.knows_avif", lambda: False)
    with pytest.raises(RecipeError, match="AVIF"):
        Download(avif=True).make()


@pytest.mark.parametrize(
    ("respect", "expected"),
    [
        ("strict", {"no": "opt_out_image", "yes": "ok", "plain": "ok"}),
        ("robots", {"no": "ok", "yes": "ok", "plain": "ok"}),
    ],
)
def test_an_opt_out_in_the_image(tmp_path: Path, respect: Any, expected: dict[str, str]) -> None:
    bodies = {"no": saying("PROHIBITED-AIMLTRAINING"), "yes": saying("ALLOWED"), "plain": jpeg(2, 300)}
    with Site(
        {f"/{name}": Reply(body, headers={"Content-Type": "image/jpeg"}) for name, body in bodies.items()}
    ) as site:
        urls = {f"http://a.test/{name}": name for name in bodies}
        rows = [
            {"key": pair_key(url, "x"), "url": url, "caption": "x", "caption_source": "alt", "source": "list"}
            for url in urls
        ]
        source = tmp_path / "pairs.parquet"
        tables.write(source, tables.from_rows(rows, PAIRS), dropped={}, row_groups=(len(rows),))
        stage = Download(
            user_agent="t/0 (+http://c.test/)", allow_private=True, resolve=site.resolve("a.test"), respect=respect
        )
        part = stage.process(Task(0, {"pairs": (str(source),)}, {"slice": 0}, str(tmp_path / "scratch")))
    told = {urls[row["url"]]: row for row in pq.read_table(part.files["fetches"]).to_pylist()}
    assert {name: row["status"] for name, row in told.items()} == expected
    assert {name: row["signals"] for name, row in told.items()} == {
        "no": "plus:DMI-PROHIBITED-AIMLTRAINING", "yes": "plus:DMI-ALLOWED", "plain": None,
    }  # fmt: skip
