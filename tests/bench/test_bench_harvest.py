"""Harvest: pages a CPU second from WARC and WAT to the candidate table, against the loops that others run.

Pages are made up: 700 paragraphs in divisions, 150 links, 30 images of which 20 have alt text, 5 lazy loading and 5 a
srcset; about 75 KB each. The peers read `src` and `alt` of `<img>` and resolve the address, nothing else; witbuild
also reads titles, figures, srcset, lazy loading, Open Graph, JSON-LD, licences and opt-outs, cleans and hashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest

from tests.bench.conftest import Bench, Side
from tests.warcs import packed, page, record
from witbuild.stages.harvest import Harvest

pytestmark = pytest.mark.bench
PAGES = 150


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Paths of a WARC and of the WAT that tells of it."""
    random = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("archives")
    words = ["".join(random.choice(list("etaoinshrdlu"), random.integers(2, 10))) for _ in range(5_000)]
    made = [_page(random, words, number) for number in range(PAGES)]
    (folder / "x.warc.gz").write_bytes(packed(*(page(html, url) for html, url, _ in made)))
    (folder / "x.wat.gz").write_bytes(packed(*(record(wat, url, "metadata") for _, url, wat in made)))
    return str(folder / "x.warc.gz"), str(folder / "x.wat.gz")


def _page(random: np.random.Generator, words: list[str], number: int) -> tuple[str, str, bytes]:
    def text(count: int) -> str:
        return " ".join(words[i] for i in random.integers(0, len(words), count))

    url = f"http://site{number % 50}.test/{number}"
    images = [{"path": "IMG@/src", "url": f"/i/{number}/{i}.jpg", "alt": text(8) if i < 20 else ""} for i in range(30)]
    links = [{"path": "A@/href", "url": f"/{text(1)}", "text": text(3)} for _ in range(150)]
    more = ["data-src=/l.jpg ", "srcset='/s.jpg 1x, /b.jpg 2x' ", "", "", "", ""]
    tags = [f"<img {more[i % 6]}src='{one['url']}' alt='{one['alt']}' width=300>" for i, one in enumerate(images)]
    tags += [f"<a href='{one['url']}' class=link>{one['text']}</a>" for one in links]
    tags += [f"<div class='c{i % 9}'><p>{text(10)}</p></div>" for i in range(700)]
    body = "\n".join(tags[i] for i in random.permutation(len(tags)))
    told = {"Head": {"Title": text(5)}, "Links": [*images, *links]}
    envelope = {
        "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": url},
        "Payload-Metadata": {
            "HTTP-Response-Metadata": {"Response-Message": {"Status": "200"}, "HTML-Metadata": told},
        },
    }
    return f"<html><title>x</title><body>{body}</body></html>", url, json.dumps({"Envelope": envelope}).encode()


def _harvest(source: str, path: str) -> int:
    stage = Harvest(source=source, inputs=(path,))
    return sum(stage.process(task).table.num_rows for task in stage.plan({}))


def _fastwarc_lexbor(path: str) -> int:
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    from selectolax.lexbor import LexborHTMLParser

    found = set()
    for one in ArchiveIterator(path, record_types=WarcRecordType.response):
        tree = LexborHTMLParser(one.reader.read())
        found |= _pairs(one.headers["WARC-Target-URI"], (node.attributes for node in tree.css("img")))
    return len(found)


def _warcio_beautifulsoup(path: str) -> int:
    from bs4 import BeautifulSoup
    from warcio.archiveiterator import ArchiveIterator

    found = set()
    with Path(path).open("rb") as stream:
        for one in ArchiveIterator(stream):
            soup = BeautifulSoup(one.content_stream().read(), "html.parser")
            found |= _pairs(
                one.rec_headers.get_header("WARC-Target-URI"), (node.attrs for node in soup.find_all("img"))
            )
    return len(found)


def _fastwarc_json(path: str) -> int:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    found = set()
    for one in ArchiveIterator(path, record_types=WarcRecordType.metadata, parse_http=False):
        envelope = json.loads(one.reader.read())["Envelope"]
        links = envelope["Payload-Metadata"]["HTTP-Response-Metadata"]["HTML-Metadata"]["Links"]
        images = ({"src": link["url"], **link} for link in links if link["path"] == "IMG@/src")
        found |= _pairs(envelope["WARC-Header-Metadata"]["WARC-Target-URI"], images)
    return len(found)


def _pairs(url: str, images: Any) -> set[tuple[str, str]]:
    return {(urljoin(url, one["src"]), one["alt"]) for one in images if one.get("src") and one.get("alt")}


def _sides(path: str, runs: dict[str, Callable[[str], int]]) -> dict[str, Side]:
    return {name: Side(lambda run=run: run(path), PAGES) for name, run in runs.items()}  # type: ignore[misc]


def test_warc(bench: Bench, archives: tuple[str, str]) -> None:
    path = archives[0]
    runs: dict[str, Callable[[str], int]] = {
        "witbuild": lambda path: _harvest("warc", path),
        "fastwarc + lexbor, src and alt alone": _fastwarc_lexbor,
    }
    if _installed("bs4", "warcio"):
        runs["warcio + BeautifulSoup"] = _warcio_beautifulsoup
    assert len({run(path) for name, run in runs.items() if name != "witbuild"}) == 1, "the peers agree"
    assert _harvest("warc", path) > _fastwarc_lexbor(path), "lazy loading and srcset are on top"
    bench.compare("WARC", "pages", _sides(path, runs), rounds=3)


def test_wat(bench: Bench, archives: tuple[str, str]) -> None:
    path = archives[1]
    runs: dict[str, Callable[[str], int]] = {
        "witbuild": lambda path: _harvest("wat", path),
        "fastwarc + json": _fastwarc_json,
    }
    assert _harvest("wat", path) == _fastwarc_json(path)
    bench.compare("WAT", "pages", _sides(path, runs))


def _installed(*names: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)
