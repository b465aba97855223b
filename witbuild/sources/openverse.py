"""Openverse, a search over openly licensed images of many collections: sampled for each query, within its terms.

Its terms forbid to copy the catalogue, and its API gives at most 20 pages of a search. So a limit must be given, one
request is made at a time, and what the answers' X-RateLimit headers say is left of the hour or day is obeyed.

Format: https://api.openverse.org/v1/ (images_search).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.errors import PolicyError
from witbuild.sources.api import Api, Question
from witbuild.sources.draw import phrase
from witbuild.sources.found import Found
from witbuild.sources.json_shapes import mappings, number, words
from witbuild.web.asking import Busy, RefusedError, address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from witbuild.web.asking import Asker
    from witbuild.web.wire import Head

MAX_PAIRS = 10_000
"""Of a run: a sample, not the catalogue."""
PAGE_SIZE = 20
"""Results a page; the API gives more to nobody without a token."""
MAX_PAGES = 20
IMAGES = frozenset({"jpg", "jpeg", "png", "webp", "gif"})
"""What `fetch` reads; a type that is not told is tried."""
_RATE = re.compile(r"\d+/(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LEFT = "x-ratelimit-available-"
_OF = "x-ratelimit-limit-"


@dataclass(frozen=True, kw_only=True)
class Openverse(Api):
    """Images of Openverse."""

    kind: ClassVar[str] = "openverse"
    api: ClassVar[str] = "https://api.openverse.org/v1/images/"
    places: ClassVar[int] = 1
    token: ClassVar[str] = "WITBUILD_OPENVERSE_TOKEN"  # noqa: S105 - a variable's name

    def check(self) -> None:
        """Refuse to copy the catalogue."""
        super().check()
        if not 0 < self.limit <= MAX_PAIRS:
            raise PolicyError(
                f"limit: found {self.limit}; Openverse's terms forbid to copy its catalogue: "
                f"give a limit, at most {MAX_PAIRS}"
            )

    def question(self, query: str) -> Question:
        """Return what asks for a query: for all its words in their order."""
        return {"q": phrase(query)}

    def judge(self, answer: dict[str, Any], head: Head) -> Busy | None:
        """Refuse an answer without results."""
        if not isinstance(answer.get("results"), list):
            raise RefusedError("query_refused", str(answer.get("detail"))[:200])
        return None

    def spent(self, head: Head) -> Busy | None:
        """Read whether the last request of a minute, hour or day was made."""
        for name, left in head.headers.items():
            rate = _RATE.match(head.headers.get(_OF + name.removeprefix(_LEFT), ""))
            if name.startswith(_LEFT) and left == "0" and rate:
                return Busy(f"{name}: 0 of {rate.string}", _SECONDS[rate[1]])
        return None

    async def images(self, asker: Asker, question: Question) -> AsyncGenerator[Found | str]:
        """Yield a question's images, page by page."""
        for page in range(1, MAX_PAGES + 1):
            asked = {**question, "page": str(page), "page_size": str(PAGE_SIZE), "mature": "false"}
            answer = await asker.ask(address(self.address, asked))
            for result in mappings(answer.get("results")):
                yield self._found(result, question)
            if page >= (number(answer.get("page_count")) or 1):
                return

    def _found(self, result: dict[str, Any], question: Question) -> Found | str:
        """Return the image of a result, or why it is none."""
        url, kind = result.get("url"), result.get("filetype")
        if not isinstance(url, str):
            return "no_file"
        if isinstance(kind, str) and kind.lower() not in IMAGES:
            return "file_type"
        columns = {
            "page_url": words(result.get("foreign_landing_url")),
            "licence": words(result.get("license_url")) or _licence(result),
            "attribution": words(result.get("attribution")) or words(result.get("creator")),
            "width": number(result.get("width")),
            "height": number(result.get("height")),
        }
        record = f"{self.address.rstrip('/')}/{words(result.get('id')) or ''}/"
        return Found(url=url, texts=_texts(result), file=address(record, question), columns=columns)


def _texts(result: dict[str, Any]) -> tuple[tuple[str, str, str | None], ...]:
    """Return the title, and the tags that people gave: those of machines tell how sure these are."""
    tags = [words(tag.get("name")) for tag in mappings(result.get("tags")) if tag.get("accuracy") is None]
    title = result.get("title")
    return (
        ("title", title if isinstance(title, str) else "", None),
        ("api", ", ".join(dict.fromkeys(tag for tag in tags if tag)), None),
    )


def _licence(result: Mapping[str, Any]) -> str | None:
    """Return a licence's short name and version.

    Example:
        >>> _licence({"license": "by-sa", "license_version": "2.0"}), _licence({"license": "pdm"})
        ('CC BY-SA 2.0', 'Public domain')
    """
    name = (words(result.get("license")) or "").upper()
    if name in {"", "PDM"}:
        return "Public domain" if name else None
    return f"{'' if name == 'CC0' else 'CC '}{name} {words(result.get('license_version')) or ''}".strip()
