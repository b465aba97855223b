"""One request on the wire: head, checks, body, all within bounds."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from yarl import URL

from witbuild.web import encodings
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import aiohttp

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
_SMALL_BYTES = 1 << 20
_TRIED_SECONDS = 3.0
"""A body is given so long before its speed is looked at."""
_UNTOLD_BYTES = 1 << 14
"""A body that announces no length is taken to have at least so many."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an answer before its body.

    Attributes:
        url: that answered.
        status: of HTTP.
        headers: lower-case name -> value; repeated headers joined with commas.
        redirects: the URLs asked before this one, in order.
        fields: names and values of the headers as they came, repeats apart.
        site: what files of the site say against training on this URL.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    redirects: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    site: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Response(Head):
    """An answer with its body, decompressed."""

    body: bytes = b""


class Room(Protocol):
    """Room in memory for what an answer brings; waiting for it costs the deadline nothing."""

    async def for_request(self) -> None:
        """Wait until a request may go on the wire."""

    async def for_body(self, head: Head) -> None:
        """Wait until the body may come."""

    def put_back(self) -> None:
        """Free what is held for a request that is put off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked besides the URL.

    Attributes:
        headers: to send.
        max_bytes: of the body, before and after decompression.
        inspect: sees the head before the body is read, and may refuse it with a FetchError.
        robots: obey robots.txt.
        rules: this is for a file of rules itself.
        cut: a longer body is cut instead of refused.
        site: passed on to the head.
        proxy: URL of the proxy that the request goes through, or none.
        came: told of the bytes of each piece of the body.
        left: seconds until the deadline.
        room: asked before the request and between head and body, so that a consumer that is behind can hold them back.
    """

    headers: Mapping[str, str]
    max_bytes: int
    inspect: Callable[[Head], None] | None = None
    robots: bool = True
    rules: bool = False
    cut: bool = False
    site: tuple[str, ...] = ()
    proxy: str | None = None
    came: Callable[[int], None] = field(default=lambda _: None)
    left: Callable[[], float] = field(default=lambda: math.inf)
    room: Room | None = None


async def exchange(
    session: aiohttp.ClientSession, url: str, ask: Ask, *, large: asyncio.Semaphore, redirects: tuple[str, ...]
) -> Response:
    """Send one request and read its answer, a redirect's without its body.

    Args:
        session: that connects.
        url: checked, without a fragment.
        ask: headers and bounds.
        large: held while a body grows beyond 1 MiB, so that memory is bounded whatever servers send.
        redirects: the URLs asked before.

    Raises:
        FetchError: the status is an error, or a bound is broken; other exceptions are the library's.
    """
    target = URL(url, encoded=True)
    async with session.get(target, headers=ask.headers, allow_redirects=False, proxy=ask.proxy) as answer:
        head = Head(
            url, answer.status, flat(answer.headers.items()), redirects, tuple(answer.headers.items()), ask.site
        )
        return await received(head, ask, answer.content.readany, large)


async def received(head: Head, ask: Ask, read: Callable[[], Awaitable[bytes]], large: asyncio.Semaphore) -> Response:
    """Judge a head, then read the body, whatever carries it.

    Args:
        head: as it came.
        ask: what was asked.
        read: gives the next bytes of the body, none at its end.
        large: held while the body grows beyond 1 MiB.
    """
    told = (head.url, head.status, head.headers, head.redirects, head.fields, head.site)
    if head.status in REDIRECTS:
        return Response(*told)
    _check(head, ask)
    if ask.room:
        await ask.room.for_body(head)
    raw = await _body(read, ask, large, head)
    return Response(*told, encodings.decode(raw, head.headers.get("content-encoding", ""), ask.max_bytes))


def flat(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined with commas.

    Example:
        >>> flat([("ETag", "1"), ("Vary", "a"), ("vary", "b")])
        {'etag': '1', 'vary': 'a, b'}
    """
    found: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _check(head: Head, ask: Ask) -> None:
    conditional = head.status == 304 and not CONDITIONS.isdisjoint(ask.headers)
    if head.status not in (200, 203) and not conditional:
        raise FetchError(
            f"http_{head.status}", "", head.status, retry_after_seconds(head.headers.get("retry-after", ""))
        )
    if ask.inspect:
        ask.inspect(head)
    announced = head.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > ask.max_bytes and not ask.cut:
        raise FetchError("too_large", f"{announced} bytes announced, at most {ask.max_bytes} are read", head.status)


async def _body(read: Callable[[], Awaitable[bytes]], ask: Ask, large: asyncio.Semaphore, head: Head) -> bytes:
    body, announced = bytearray(), head.headers.get("content-length", "")
    whole = int(announced[:20]) if announced.isdecimal() else _UNTOLD_BYTES
    await _read(read, body, min(ask.max_bytes, _SMALL_BYTES), ask, whole)
    if len(body) > _SMALL_BYTES and len(body) <= ask.max_bytes:
        async with large:
            await _read(read, body, ask.max_bytes, ask, whole)
    if len(body) > ask.max_bytes and not ask.cut:
        raise FetchError("too_large", f"more than {ask.max_bytes} bytes", head.status)
    del body[ask.max_bytes :]
    return bytes(body)


async def _read(read: Callable[[], Awaitable[bytes]], body: bytearray, limit: int, ask: Ask, whole: int) -> None:
    """Append what comes until the end, until there is more than the limit, or until there is no hope of the whole."""
    clock = asyncio.get_running_loop().time
    start, before = clock(), len(body)
    while len(body) <= limit and (chunk := await read()):
        ask.came(len(chunk))
        body += chunk
        seconds = clock() - start
        if seconds > _TRIED_SECONDS and is_hopeless((len(body) - before) / seconds, whole - len(body), ask.left()):
            raise FetchError("timeout", "too slow to be whole by the deadline")


def is_hopeless(bytes_per_second: float, missing: int, seconds: float) -> bool:
    """Say whether bytes that are missing will not come in the seconds left, even at twice the speed so far.

    Example:
        >>> is_hopeless(1.0, 100_000, 27.0), is_hopeless(3_000.0, 100_000, 27.0)
        (True, False)
    """
    return missing > 2 * bytes_per_second * seconds


def retry_after_seconds(value: str) -> float | None:
    """Return the seconds that a Retry-After asks for; None when it says nothing.

    A date is read against the clock (RFC 9110, section 10.2.3).

    Example:
        >>> retry_after_seconds("120"), retry_after_seconds("1e9"), retry_after_seconds("soon")
        (120.0, None, None)
    """
    if value.isdecimal():
        return float(value[:12])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # a year or a zone that no date has
        return None
    from datetime import UTC, datetime

    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
