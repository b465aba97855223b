"""Made-up pages for benches, as a WARC and as the WAT of it.

A page has 97 KB, 1,200 elements with 1,700 attributes, 240 links and 15 images: 10 with alt text, 2 lazy loading, 2
with a srcset. Its mix of text, tags and attributes is that of the real page of Common Crawl in
commoncrawl/whirlwind-python (73 KB, 830 elements, 1,360 attributes, 13 images); 10 pairs of `src` and `alt` a page is
the rate of 1,163 real pages.

Its WAT record has 37 KB, of which the links are most; packed, with the records about request and metadata beside it, 9
KB: Common Crawl's WATs have 7.1 KB a page (CC-MAIN-2024-22: 17.4 TiB for 2.7 billion pages). Fields and their order are
those of a WAT of that crawl; 7 of 10 pages have an Open Graph image, which gave 7% more pairs on the real pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from tests.warcs import packed, page, record

IMAGES, LINKS, BLOCKS = 15, 240, 190
DATE, DIGEST = "Sat, 18 May 2024 01:58:10 GMT", "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"


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
        scripts = [{"path": "SCRIPT@/src", "url": f"/{self.text(1)}.js", "type": "text/javascript"} for _ in range(8)]
        told = {
            "Head": {"Title": self.text(5), "Metas": self._metas(url), "Scripts": scripts},
            "Links": [found[i] for i in self._random.permutation(len(found))],
        }
        headers = {f"X-{self.text(1)}": self.text(3) for _ in range(15)}
        answer = {
            "Response-Message": {"Version": "HTTP/1.1", "Status": "200", "Reason": "OK"},
            "Headers-Length": "783",
            "Headers": {"Date": DATE, "Content-Type": "text/html; charset=UTF-8", **headers, "Content-Length": "97342"},
            "HTML-Metadata": told,
            "Entity-Length": "97342",
            "Entity-Digest": DIGEST,
            "Entity-Trailing-Slop-Length": "0",
        }
        kind = "application/http; msgtype=response"
        return envelope("response", url, {"Actual-Content-Type": kind, "HTTP-Response-Metadata": answer})

    def _metas(self, url: str) -> list[dict[str, str]]:
        """20 meta tags, on 7 of 10 pages with an Open Graph image among them, on every other one with `robots`."""
        metas = [{"name": "viewport", "content": "width=device-width, initial-scale=1"}]
        metas += [{"name": f"twitter:{self.text(1)}", "content": self.text(6)} for _ in range(9)]
        graph = {"title": self.text(5), "type": "website", "url": url, "description": self.text(12), "locale": "en_US"}
        if self._random.random() < 0.7:
            graph |= {"image": f"{url[:-5]}/og.jpg", "image:width": "1200", "image:height": "630"}
        metas += [{"property": f"og:{name}", "content": value} for name, value in graph.items()]
        if self._random.random() < 0.5:
            metas.append({"name": "robots", "content": "index, follow, max-image-preview:large"})
        return metas + [{"name": self.text(1), "content": self.text(6)} for _ in range(20 - len(metas))]


def _attributes(image: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in image.items())


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def warc(pages: list[Made]) -> bytes:
    """Return a WARC of pages, a gzip member each."""
    return packed(*(page(made.html, made.url) for made in pages))


def wat(pages: list[Made]) -> bytes:
    """Return the WAT of that WARC, with records about requests and metadata too, as real ones have."""
    return packed(
        *(
            record(block, made.url, "metadata")
            for made in pages
            for block in (_request(made.url), made.wat, _metadata(made.url))
        ),
    )


def envelope(kind: str, url: str, payload: dict[str, object]) -> bytes:
    """Return the JSON about a record of a WARC, with the fields of Common Crawl's in their order."""
    unpacked = {"Header-Length": "10", "Footer-Length": "8", "Inflated-CRC": "1106529533", "Inflated-Length": "98626"}
    place = {
        "Filename": "x.warc.gz",
        "Compressed": True,
        "Offset": "0",
        "Gzip-Metadata": {"Deflate-Length": "1", **unpacked},
    }
    about = {
        "WARC-Type": kind,
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Record-ID": "<urn:uuid:292f457d-203c-42f2-a1b5-69a4dabefd4f>",
        "Content-Length": "97265",
        "Content-Type": f"application/http; msgtype={kind}",
        "WARC-Warcinfo-ID": "<urn:uuid:668d88fc-4208-41fc-b327-1aa6cb783331>",
        "WARC-IP-Address": "192.0.2.224",
        "WARC-Target-URI": url,
    }
    rest = {"Actual-Content-Length": "97265", "Trailing-Slop-Length": "4", "Block-Digest": DIGEST}
    told = {"Payload-Metadata": {**payload, **rest}, "Format": "WARC/1.0", "WARC-Header-Length": "357"}
    return _json({"Container": place, "Envelope": {**told, "WARC-Header-Metadata": about}})


def _request(url: str) -> bytes:
    headers = {
        "User-Agent": "CCBot/2.0 (https://commoncrawl.org/faq/)",
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language": "en-US,en;q=0.5",
        "Accept-Encoding": "br,gzip",
        "Host": url.split("/")[2],
        "Connection": "Keep-Alive",
    }
    asked = {
        "Request-Message": {"Method": "GET", "Path": f"/{url.split('/', 3)[3]}", "Version": "HTTP/1.1"},
        "Headers-Length": "263",
        "Headers": headers,
        "Entity-Length": "0",
        "Entity-Digest": DIGEST,
        "Entity-Trailing-Slop-Length": "0",
    }
    kind = "application/http; msgtype=request"
    return envelope("request", url, {"Actual-Content-Type": kind, "HTTP-Request-Metadata": asked})


def _metadata(url: str) -> bytes:
    language = '{"reliable":true,"text-bytes":3142,"languages":[{"code":"en","name":"ENGLISH","text-covered":0.97}]}'
    values = {"fetchTimeMs": "264", "charset-detected": "UTF-8", "languages-cld2": language}
    told = {"Metadata-Records": [{"Name": name, "Value": value} for name, value in values.items()]}
    kind = "application/metadata-fields"
    return envelope("metadata", url, {"Actual-Content-Type": kind, "WARC-Metadata-Metadata": told})
