"""Made-up pages for benches, as a WARC and as the WAT of it.

A page has 97 KB, 1,200 elements with 1,700 attributes, 240 links and 15 images: 10 with alt text, 2 lazy loading, 2
with a srcset. Its mix of text, tags and attributes is that of the real page of Common Crawl in
commoncrawl/whirlwind-python (73 KB, 830 elements, 1,360 attributes, 13 images); 10 pairs of `src` and `alt` a page is
the rate of 1,163 real pages. Its WAT record has 36 KB, of which the links are most.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from tests.warcs import packed, page, record

IMAGES, LINKS, BLOCKS = 15, 240, 190


@dataclass(frozen=True)
class Made:
    """A page and what its WAT record says."""

    url: str
    html: str
    wat: bytes


class Maker:
    """Makes pages of made-up words, the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        letters = list("etaoinshrdlu")
        self._words = ["".join(self._random.choice(letters, size)) for size in self._random.integers(2, 10, 5_000)]

    def text(self, count: int) -> str:
        """Return so many words; frequent ones come often, as in languages."""
        ranks = (5_000 ** self._random.random(count)).astype(int) - 1
        return " ".join(self._words[rank] for rank in ranks)

    def page(self, number: int) -> Made:
        """Return a page."""
        url = f"https://www.site{number % 50}.test/{self.text(1)}/{number}.html"
        images = [self._image(number, place) for place in range(IMAGES)]
        links = [(f"{url[:-5]}/{self.text(4).replace(' ', '-')}", self.text(3)) for _ in range(LINKS)]
        return Made(url, self._html(images, links), self._wat(url, images, links))

    def _image(self, number: int, place: int) -> dict[str, str]:
        image = {"src": f"/media/{number}/{self.text(1)}-{place}.jpg", "alt": self.text(7) if place < 10 else ""}
        if place in (2, 3):
            image["data-src"] = f"/media/{number}/large-{place}.jpg"
        if place in (4, 5):
            image["srcset"] = f"{image['src']} 300w, /media/{number}/big-{place}.jpg 900w"
        return image

    def _html(self, images: list[dict[str, str]], links: list[tuple[str, str]]) -> str:
        tags = [f'<img class="c{len(one)} lazy" {_attributes(one)} width="300">' for one in images]
        tags += [
            f'<li class="item m{i % 9}"><a href="{u}" title="">{text}</a></li>' for i, (u, text) in enumerate(links)
        ]
        blocks = range(BLOCKS)
        tags += [f'<div id="b{i}" class="{self.text(2)}"><p>{self.text(30)}</p></div><!-- /b{i} -->' for i in blocks]
        body = "\n".join(tags[i] for i in self._random.permutation(len(tags)))
        metas = "".join(f'<meta name="x:{self.text(1)}" content="{self.text(6)}">' for _ in range(20))
        script = "".join(f"var {self.text(1)}={{'{self.text(1)}':{i}<9}};\n" for i in range(500))
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><title>{self.text(5)}</title>{metas}<script>{script}</script>'
            f"</head><body>{body}</body></html>"
        )

    def _wat(self, url: str, images: list[dict[str, str]], links: list[tuple[str, str]]) -> bytes:
        found = [
            {"path": "IMG@/src", "url": one["src"], **({"alt": one["alt"]} if one["alt"] else {})} for one in images
        ]
        found += [{"path": "A@/href", "url": u, "rel": "nofollow", "text": text} for u, text in links]
        metas = [{"name": self.text(1), "content": self.text(6)} for _ in range(20)]
        scripts = [{"path": "SCRIPT@/src", "url": f"/{self.text(1)}.js", "type": "text/javascript"} for _ in range(8)]
        told = {
            "Head": {"Title": self.text(5), "Metas": metas, "Scripts": scripts},
            "Links": [found[i] for i in self._random.permutation(len(found))],
        }
        answer = {
            "Response-Message": {"Version": "HTTP/1.1", "Status": "200", "Reason": "OK"},
            "Headers": {f"X-{self.text(1)}": self.text(3) for _ in range(15)},
            "HTML-Metadata": told,
        }
        envelope = {
            "Payload-Metadata": {"Actual-Content-Type": "application/http", "HTTP-Response-Metadata": answer},
            "Format": "WARC/1.0",
            "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": url},
        }
        place = {"Filename": "x.warc.gz", "Offset": "0", "Gzip-Metadata": {"Deflate-Length": "1"}}
        return _json({"Container": place, "Envelope": envelope})


def _attributes(image: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in image.items())


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def warc(pages: list[Made]) -> bytes:
    """Return a WARC of pages, a gzip member each."""
    return packed(*(page(made.html, made.url) for made in pages))


def wat(pages: list[Made]) -> bytes:
    """Return the WAT of that WARC, with a record for each request too, as Common Crawl's has."""
    asked = {"Payload-Metadata": {"HTTP-Request-Metadata": {"Headers": {"User-Agent": "CCBot/2.0"}}}}
    request = _json({"Container": {"Filename": "x.warc.gz"}, "Envelope": asked})
    return packed(
        *(record(block, made.url, "metadata") for made in pages for block in (request, made.wat)),
    )
