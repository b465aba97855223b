"""Opt-outs that speak to our own crawler by name are read as ours, whatever the pages come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.warcs import packed, page, record
from witbuild.stages.harvest import Harvest

OURS, OTHERS = "MyBot/1.0 (+https://a.test/bot)", "otherbot/1.0 (+https://a.test/bot)"
IMAGE = "<img src=a.jpg alt='a red square'>"
SAID = {
    "a tag": ("<meta name=mybot content='noai, nofollow'>", {}),
    "a header": ("", {"X_Robots_Tag": "otherbot: noindex, mybot: noai"}),
    "a tag of a page that needs a tree": ("<meta name=MyBot content=noai><table><a><td></a></table>", {}),
}
WANTED = {"a header": {OURS: "noai", OTHERS: "noindex", "": None}}


def opt_outs(**parameters: Any) -> list[str | None]:
    stage = Harvest(**parameters)
    found: list[str | None] = [
        opt_out for task in stage.plan({}) for opt_out in stage.process(task).table["opt_out"].to_pylist()
    ]
    return found


@pytest.mark.parametrize("agent", [OURS, OTHERS, ""])
@pytest.mark.parametrize("where", SAID)
def test_in_archives(where: str, agent: str, tmp_path: Path) -> None:
    tag, headers = SAID[where]
    (tmp_path / "x.warc.gz").write_bytes(packed(page(tag + IMAGE, **headers)))
    wanted = WANTED.get(where, {OURS: "noai"}).get(agent)
    assert opt_outs(source="warc", inputs=(str(tmp_path / "x.warc.gz"),), user_agent=agent) == [wanted]


@pytest.mark.parametrize(("agent", "wanted"), [(OURS, "noai"), (OTHERS, None), ("", None)])
def test_in_folders(agent: str, wanted: str | None, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<meta name=mybot content=noai>" + IMAGE)
    found = opt_outs(source="html", inputs=(str(tmp_path),), base_url="http://a.test/", user_agent=agent)
    assert found == [wanted]


@pytest.mark.parametrize(("agent", "wanted"), [(OURS, "noai"), (OTHERS, "noindex"), ("", None)])
@pytest.mark.parametrize("odd", [False, True])
def test_in_wats(agent: str, wanted: str | None, odd: bool, tmp_path: Path) -> None:  # noqa: FBT001
    metas = [{"name": "MyBot", "content": "noai"}]
    links = [{"path": "IMG@/src", "url": "a.jpg", "alt": "x" * 5_000 if odd else "a red square"}]
    answer = {
        "Response-Message": {"Status": "200"},
        "Headers": {"X-Robots-Tag": "otherbot: noindex"},
        "HTML-Metadata": {"Head": {"Metas": metas}, "Links": links},
    }
    header = {"WARC-Type": "response", "WARC-Target-URI": "http://a.test/"}
    told = {"Envelope": {"WARC-Header-Metadata": header, "Payload-Metadata": {"HTTP-Response-Metadata": answer}}}
    content = record(json.dumps(told).encode(), "http://a.test/", "metadata")
    (tmp_path / "x.wat.gz").write_bytes(packed(content))
    assert opt_outs(source="wat", inputs=(str(tmp_path / "x.wat.gz"),), user_agent=agent) == [wanted]
