"""Notices of a whole site against text and data mining, beside robots.txt.

/ai.txt                      Spawning: user agents with Disallow and Allow, patterns such as `*.jpg` or `/`
/.well-known/tdmrep.json     TDM Reservation Protocol (W3C community group, 2024): rules of location and reservation

A file that is not there, is no such file or cannot be had says nothing: unlike robots.txt, neither asks to be read so.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protego import Protego

from witbuild.web import urls, usage
from witbuild.web.aside import Aside
from witbuild.web.origins import Origins
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_BYTES = 256 * 1024
_MAX_RULES = 1_000
AI_TXT, TDMREP = "/ai.txt", "/.well-known/tdmrep.json"


@dataclass(frozen=True, slots=True)
class Notice:
    """What an origin's files say."""

    ai: Protego | None = None
    tdm: tuple[tuple[str, bool], ...] = ()
    """Pattern of a path, and whether it is reserved, in the file's order."""
    agent: str = ""
    size: int = 0
    """Bytes of the files."""

    def signals(self, url: str) -> tuple[str, ...]:
        """Return what stands against a URL: `ai.txt`, `tdmrep.json`."""
        found = ("ai.txt",) if self.ai and not self.ai.can_fetch(url, self.agent) else ()
        return (*found, "tdmrep.json") if tdm_reserved(self.tdm, urls.path(url)) else found


def tdm_reserved(rules: tuple[tuple[str, bool], ...], path: str) -> bool:
    """Say whether a path is reserved: by the first rule that matches it, or by the longest.

    Readers of the protocol differ in which of the two counts; a reservation by either does.

    Example:
        >>> tdm_reserved((("/", False), ("/art/", True)), "/art/x.jpg"), tdm_reserved((("/art/", True),), "/x")
        (True, False)
    """
    found = [(pattern, reserved) for pattern, reserved in rules if usage.matches(pattern, path)]
    return bool(found) and (found[0][1] or max(found, key=lambda rule: (len(rule[0]), rule[1]))[1])


def parse_tdmrep(body: bytes) -> tuple[tuple[str, bool], ...]:
    """Return the rules of a tdmrep.json; what is none has none.

    Example:
        >>> parse_tdmrep(b'[{"location": "/*.jpg", "tdm-reservation": 1}, {"location": 3}]'), parse_tdmrep(b"<html>")
        ((('/*.jpg', True),), ())
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    rules = [_rule(item) for item in found[:_MAX_RULES]] if isinstance(found, list) else []
    return tuple(rule for rule in rules if rule)


def _rule(item: Any) -> tuple[str, bool] | None:
    if not isinstance(item, dict) or not isinstance(item.get("location"), str):
        return None
    return item["location"], str(item.get("tdm-reservation")).strip() == "1"


_NOTHING = Notice()
"""What most origins say."""


class Notices:
    """The notices of every origin that was asked about.

    Args:
        fetch: URL -> body; FetchError when there is none.
        agent: the crawler's product token.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[bytes]], agent: str) -> None:
        self._fetch = fetch
        self._agent = agent
        self._origins = Origins(self._load)
        self._aside = Aside()

    async def signals(self, url: str) -> tuple[str, ...]:
        """Return what the files of a URL's origin say against it."""
        notice = await self._origins.of(url)
        return await self._aside.do(notice.signals, notice.size, url)

    async def _load(self, origin: str) -> Notice:
        ai, tdm = await asyncio.gather(self._body(origin + AI_TXT), self._body(origin + TDMREP))
        if not ai and not tdm:
            return _NOTHING
        return await self._aside.do(_read, len(ai) + len(tdm), ai, tdm, self._agent)

    async def _body(self, url: str) -> bytes:
        try:
            return await self._fetch(url)
        except FetchError:
            return b""

    def close(self) -> None:
        """End the fetches that still run."""
        self._origins.close()
        self._aside.close()


def _read(ai: bytes, tdm: bytes, agent: str) -> Notice:
    rules = Protego.parse(ai.decode("utf-8-sig", "replace")) if ai else None
    return Notice(rules, parse_tdmrep(tdm), agent, len(ai) + len(tdm))
