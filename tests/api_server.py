"""APIs on loopback that answer as told: a MediaWiki with files, and whatever a function says.

with ApiServer(FakeWiki(files)) as server:
    Harvest(source="commons", inputs=("http://wiki.test/api.php",), resolve=server.resolve("wiki.test"), ...)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Loopback, Reply


@dataclass(frozen=True)
class Said:
    """An answer: JSON of a value, or bytes as they are."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()


Answer = Callable[[dict[str, str]], Said]


class ApiServer(Loopback):
    """Answers by the parameters of a request.

    Attributes:
        asked: parameters of each request.
        headers: of each request, lower-case names.
        times: of time.monotonic, of each request.
        peak: most requests in progress at once.
    """

    def __init__(self, answer: Answer, delay_seconds: float = 0.0) -> None:
        self.answer, self.delay_seconds = answer, delay_seconds
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.peak = self._now = 0
        self._lock = threading.Lock()
        super().__init__()

    def resolve(self, *hosts: str) -> dict[str, str]:
        return dict.fromkeys(hosts, f"127.0.0.1:{self.port}")

    def reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query, keep_blank_values=True).items()}
        with self._lock:
            self.asked.append(asked)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self._now += 1
            self.peak = max(self.peak, self._now)
        try:
            time.sleep(self.delay_seconds)
            said = self.answer({**asked, "": urlsplit(path).path})
            return said.status, said.body, said.headers
        finally:
            with self._lock:
                self._now -= 1


@dataclass(frozen=True)
class File:
    """A file of a wiki."""

    title: str
    description: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)
    mime: str = "image/jpeg"
    width: int = 640


@dataclass
class FakeWiki:
    """Answers generator=search and allimages as a MediaWiki does, in batches, and in pieces of a batch if told to.

    `trouble` holds answers to be given first, before anything is answered.
    """

    files: list[File]
    pieces: int = 1
    trouble: list[Said] = field(default_factory=list)

    def __call__(self, asked: dict[str, str]) -> Said:
        if self.trouble:
            return self.trouble.pop(0)
        if asked["generator"] == "search":
            words = asked["gsrsearch"].replace('"', "").lower()
            found = [file for file in self.files if words in f"{file.title} {file.description}".lower()]
            return self._batch(asked, found, "gsroffset", int(asked["gsrlimit"]))
        named = sorted(self.files, key=lambda file: file.title)
        start, stop = asked.get("gaifrom", ""), asked.get("gaito", "\uffff")
        return self._batch(
            asked, [one for one in named if start <= one.title <= stop], "gaicontinue", int(asked["gailimit"])
        )

    def _batch(self, asked: dict[str, str], found: list[File], name: str, size: int) -> Said:
        start, piece = int(asked.get(name, 0)), int(asked.get("iicontinue", 0))
        batch = found[start : start + size]
        pages = [self._page(file, start + place + 1, place % self.pieces == piece) for place, file in enumerate(batch)]
        answer: dict[str, Any] = (
            {"query": {"pages": sorted(pages, key=lambda page: int(page["pageid"]))}} if pages else {}
        )
        if piece + 1 < self.pieces and batch:
            answer["continue"] = {
                "iicontinue": str(piece + 1),
                "continue": "||",
                **({name: str(start)} if start else {}),
            }
            return Said(answer)
        answer["batchcomplete"] = True
        if start + size < len(found):
            answer["continue"] = {name: start + size, "continue": f"{name}||"}
        return Said(answer)

    def _page(self, file: File, index: int, told: bool) -> dict[str, Any]:  # noqa: FBT001
        number = self.files.index(file) * 37 % 1009 + 100  # pages are numbered in another order than found
        page: dict[str, Any] = {"pageid": number, "ns": 6, "title": f"File:{file.title}", "index": index}
        said = {"ObjectName": file.title.rpartition(".")[0], "ImageDescription": file.description, **file.more}
        info = {
            "url": f"http://upload.test/{file.title.replace(' ', '_')}",
            "thumburl": f"http://upload.test/thumb/{file.title.replace(' ', '_')}.png",
            "thumbmime": "image/png",
            "thumbwidth": 330,
            "thumbheight": 220,
            "descriptionurl": f"http://wiki.test/wiki/File:{number}",
            "width": file.width,
            "height": 480,
            "mime": file.mime,
            "extmetadata": {name: {"value": value, "source": "x"} for name, value in said.items() if value is not None},
        }
        return {**page, "imageinfo": [info]} if told else page
