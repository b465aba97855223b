"""Names and values that are no Unicode text: files of old disks, lone surrogates in JSON. Each costs itself at most."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.warcs import packed, page, record
from witbuild.stages.harvest import Harvest


def harvest(**parameters: Any) -> list[dict[str, Any]]:
    stage = Harvest(**parameters)
    return [row for task in stage.plan({}) for row in stage.process(task).table.to_pylist()]


@pytest.mark.parametrize(
    "column", ["license", "attribution", "lang", "page_url", "sha256", "md5", "width", "text", "url", "similarity"]
)
def test_a_lone_surrogate_in_a_list_costs_its_value_at_most(column: str, tmp_path: Path) -> None:
    row = {"url": "http://a.test/1", "text": "x", "license": "CC0"}
    lines = [{**row, column: "\ud800"}, {**row, "url": "http://a.test/2"}]
    (tmp_path / "x.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    rows = harvest(source="urls", inputs=(str(tmp_path / "x.jsonl"),))
    assert [one["url"] for one in rows][-1] == "http://a.test/2"
    assert len(rows) == (1 if column in ("url", "text") else 2)


def named(folder: Path, name: bytes, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    try:
        (folder / os.fsdecode(name)).write_bytes(content)
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")


def test_names_of_files_may_be_any_bytes(tmp_path: Path) -> None:
    named(tmp_path / "pictures", b"b\xff.jpg", b"")
    named(tmp_path / "pictures", b"b\xff.txt", b"a square")
    named(tmp_path / "pages", b"p\xff.html", b"<img src=i.png alt=x>")
    named(tmp_path / "archives", b"a\xff.warc.gz", packed(page("<img src=/i.png alt=x>")))
    base = "http://f.test/"
    (picture,) = harvest(source="folder", inputs=(str(tmp_path / "pictures"),), base_url=base)
    (html,) = harvest(source="html", inputs=(str(tmp_path / "pages"),), base_url=base)
    (warc,) = harvest(source="warc", inputs=(str(tmp_path / "archives"),))
    assert (picture["url"], picture["source_file"]) == ("http://f.test/b%FF.jpg", "b\ufffd.jpg")
    assert (html["page_url"], html["source_file"]) == ("http://f.test/p%FF.html", "p\ufffd.html")
    assert warc["source_file"] == "a\ufffd.warc.gz"


def test_a_lone_surrogate_in_a_wat_costs_nothing(tmp_path: Path) -> None:
    html = {"Head": {"Title": "\ud800"}, "Links": [{"path": "IMG@/src", "url": "i.jpg", "alt": "x\ud800"}]}
    told = {
        "Container": {"Filename": "\ud800", "Offset": "0", "Gzip-Metadata": {"Deflate-Length": "5"}},
        "Envelope": {
            "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": "http://a.test/"},
            "Payload-Metadata": {
                "HTTP-Response-Metadata": {"Response-Message": {"Status": "200"}, "HTML-Metadata": html}
            },
        },
    }
    (tmp_path / "x.wat.gz").write_bytes(packed(record(json.dumps(told).encode(), "http://a.test/", "metadata")))
    (row,) = harvest(source="wat", inputs=(str(tmp_path / "x.wat.gz"),))
    assert (row["caption"], row["source_file"]) == ("x", "x.wat.gz")
