"""The client: one polite GET, guarded at every hop, over by its deadline.

    get(url)
     └ attempt            429, 5xx, reset, short body: again, after a pause
        └ hop             guard -> robots, notices -> slot of the host -> pace -> pinned address -> head, body
           └ redirect     the next hop, guarded like the first

Time counts only while a request is on the wire: waiting for a polite moment costs a URL nothing of its
deadline.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from witbuild.web import addresses, encodings, notices, robots, urls
from witbuild.web.budget import Budget, Free
from witbuild.web.descriptors import Kept, room
from witbuild.web.pace import Bandwidth, Pace, parse_hours
from witbuild.web.proxy import Proxy
from witbuild.web.reasons import FetchError, foreign
from witbuild.web.resolver import Resolver
from witbuild.web.secure import Secure
from witbuild.web.settings import Settings, check_user_agent
from witbuild.web.slots import Slot
from witbuild.web.turns import Turns
from witbuild.web.wire import REDIRECTS, Ask, Head, Response, Room, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = ["Budget", "Client", "FetchError", "Head", "Response", "Settings"]

RETRIED = frozenset({"http_429", "http_500", "http_502", "http_503", "http_504", "reset", "short_body"})
_LARGE_BODIES = 16
_host = lru_cache(maxsize=4_096)(urls.host)


class Client:
    """Fetches URLs; an async context manager, of one event loop.

    Args:
        settings: how it behaves.
        lookup: host -> addresses, in place of the system's resolver.

    Raises:
        PolicyError: the user agent names no contact, or an override is not `address:port`.
        RecipeError: the hours, or the proxy, cannot be read, HTTP/2 is wanted through a proxy, or the machine allows
            fewer open files than connections.
        MissingExtraError: HTTP/2 is wanted and not installed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        lookup: Callable[[str], tuple[str, ...]] | None = None,
    ) -> None:
        check_user_agent(settings.user_agent)
        self.settings = settings
        self._guard = addresses.Guard(settings.allow_private, settings.ports, settings.block_hosts)
        self._resolver = Resolver(self._guard, settings.resolve, lookup)
        self._proxy = Proxy(settings.proxy) if settings.proxy else None
        self.agent = robots.token(settings.user_agent)
        self._robots = robots.Robots(self._fetch_robots, self.agent)
        self._notices = notices.Notices(self._fetch_notice, self.agent)
        self._bandwidth = Bandwidth(settings.bytes_per_second)
        self._pace = Pace(settings.hours, self._bandwidth)
        if settings.hours:
            parse_hours(settings.hours)
        self._slots: dict[str, Slot] = {}
        self._wire = Turns(settings.connections)
        self._large = asyncio.Semaphore(_LARGE_BODIES)
        self._session: aiohttp.ClientSession
        kept = room(settings.connections)
        self._kept = Kept(kept)
        self._secure = Secure(self._resolver, self._guard, settings, kept) if settings.http2 else None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._proxy or self._resolver, use_dns_cache=False, limit=0, socket_factory=self._socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # each attempt has its own deadline
            headers={"User-Agent": self.settings.user_agent},
            auto_decompress=False,
        )
        self._beat = asyncio.ensure_future(self._wire.beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beat.cancel()
        self._robots.close()
        self._notices.close()
        await self._session.close()
        if self._secure:
            await self._secure.close()
        await self._resolver.close()

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make a socket; the last check, of the very address that is connected to."""
        family, kind, protocol, _, address = info
        allowed = self._proxy.is_at(*address[:2]) if self._proxy else self._guard.allows(str(address[0]))
        if not allowed:
            raise PermissionError(f"{address[0]} is not allowed")
        return self._kept.opened(socket.socket(family=family, type=kind, proto=protocol))

    async def get(  # noqa: PLR0913 - all but the URL are named and rarely given
        self,
        url: str,
        *,
        accept: str = "*/*",
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        inspect: Callable[[Head], None] | None = None,
        room: Room | None = None,
        budget: Budget | None = None,
    ) -> Response:
        """Fetch a URL: status 200 or 203, or 304 to a conditional request.

        Args:
            url: absolute, http or https.
            accept: the Accept header.
            max_bytes: of the body, instead of the settings'.
            headers: further ones.
            inspect: sees the head before the body is read, and may refuse it with a FetchError.
            room: in memory, waited for at no cost to the deadline.
            budget: of seconds on the wire, in place of the settings'; afterwards it tells when and how long it was.

        Raises:
            FetchError: any failure, with its reason.
        """
        sent = {"Accept": accept, "Accept-Encoding": encodings.ACCEPTED, **(headers or {})}
        budget = budget or Budget(self.settings.timeout_seconds)
        ask = Ask(
            headers=sent,
            max_bytes=max_bytes or self.settings.max_bytes,
            inspect=inspect,
            robots=self.settings.robots,
            proxy=self._through,
            room=Free(room, budget) if room else None,
            left=budget.remaining,
        )
        return await self._attempts(url, ask, budget)

    @property
    def _through(self) -> str | None:
        return self._proxy.url if self._proxy else None

    async def ready(self) -> None:
        """Wait until it makes sense to begin with another host: too few requests wait to keep the wire busy."""
        await self._wire.ready()

    async def robots_rules(self, url: str) -> robots.Rules:
        """Return what robots.txt says at a URL's origin; FetchError (robots_unavailable, ...) when it forbids all."""
        return await self._robots.rules(url)

    async def _fetch_robots(self, url: str) -> bytes:
        return await self._fetch_rules(url, robots.MAX_BYTES)

    async def _fetch_notice(self, url: str) -> bytes:
        return await self._fetch_rules(url, notices.MAX_BYTES)

    async def _fetch_rules(self, url: str, most: int) -> bytes:
        sent = {"Accept": "text/plain,*/*;q=0.1", "Accept-Encoding": "identity"}
        budget = Budget(self.settings.timeout_seconds)
        ask = Ask(
            headers=sent,
            max_bytes=most,
            robots=False,
            rules=True,
            cut=True,
            proxy=self._through,
            left=budget.remaining,
        )
        return (await self._attempts(url, ask, budget)).body

    def slot(self, host: str) -> Slot:
        """Return the slot of a host."""
        if host not in self._slots:
            self._slots[host] = Slot(
                concurrency=self.settings.per_host,
                delay_seconds=self.settings.delay_seconds,
                max_delay_seconds=self.settings.max_delay_seconds,
                give_up_after=self.settings.give_up_after,
                give_up_after_timeouts=self.settings.give_up_after_timeouts,
            )
        return self._slots[host]

    async def _attempts(self, url: str, ask: Ask, budget: Budget) -> Response:
        """Try, and try again what may pass, until the deadline's seconds on the wire are used up."""
        for attempt in range(self.settings.retries + 1):
            try:
                return await self._follow(url, ask, budget)
            except FetchError as failure:
                if attempt == self.settings.retries or budget.left <= 0 or not self._may_pass(failure):
                    raise
                await asyncio.sleep(self.settings.backoff_seconds * 2**attempt * _jitter(url))
        raise AssertionError("unreachable")

    def _may_pass(self, failure: FetchError) -> bool:
        """Say whether trying again may help, and soon enough to wait for it."""
        return failure.reason in RETRIED and (failure.retry_after_seconds or 0) <= self.settings.max_delay_seconds

    async def _follow(self, url: str, ask: Ask, budget: Budget) -> Response:
        """Go from redirect to redirect; each is a request of its own to the guard, robots.txt and the slots."""
        asked: list[str] = []
        current = self._guard.check_url(url)
        while len(asked) <= self.settings.max_redirects:
            response = await self._hop(current, ask, budget, tuple(asked))
            if response.status not in REDIRECTS:
                return response
            asked.append(current)
            current = self._guard.check_url(_target(response))
            if current in asked:
                raise FetchError("redirect_loop", f"back to {current}", response.status)
        raise FetchError("redirect_loop", f"more than {self.settings.max_redirects} redirects", response.status)

    async def _hop(self, url: str, ask: Ask, budget: Budget, asked: tuple[str, ...]) -> Response:
        slot = self.slot(_host(url))
        slot.check()
        if ask.robots and (said := await self._rules(url, slot)):
            ask = replace(ask, site=said)
        async with slot:
            while (response := await self._turn(slot, url, ask, budget, asked)) is None:
                await slot.wait()
            return response

    async def _turn(self, slot: Slot, url: str, ask: Ask, budget: Budget, asked: tuple[str, ...]) -> Response | None:
        """Take a turn on the wire; None: it came at an impolite moment, and nothing was asked."""
        async with self._wire.turn(first=slot.in_trouble):
            try:
                response = await self._request(slot, url, ask, budget, asked)
            except FetchError as failure:
                slot.note(failure, rules=ask.rules)
                self._rest(slot, failure)
                raise
            if response:
                slot.note(None, rules=ask.rules)
            return response

    async def _rules(self, url: str, slot: Slot) -> tuple[str, ...]:
        """Obey what the site's files say of a URL, and return what they say against training."""
        rules, said = await self._robots.check(url)
        slot.slow_to(rules.delay_seconds)
        found: tuple[str, ...] = (f"robots.txt:{said}",) if said else ()
        if self.settings.notices:
            found += await self._notices.signals(url)
            if found:
                raise FetchError("opt_out_site", ", ".join(found))
        return found

    def _rest(self, slot: Slot, failure: FetchError) -> None:
        """Leave a host alone that asks for it."""
        if failure.http_status in (429, 503):
            asked = failure.retry_after_seconds
            slot.rest(self.settings.backoff_seconds if asked is None else asked)

    async def _request(self, slot: Slot, url: str, ask: Ask, budget: Budget, asked: tuple[str, ...]) -> Response | None:
        host = _host(url)
        await self._resolver.begun(host.strip("[]"))
        await self._pace.wait()
        if ask.room:
            await ask.room.for_request()
        try:
            with self._bandwidth.settle() as came:
                if not slot.start():
                    if ask.room:
                        ask.room.put_back()
                    return None
                ask = replace(ask, came=came) if self.settings.bytes_per_second else ask
                async with budget:
                    await self._resolver.pin(host.strip("[]"))
                    with self._kept.asking(host):
                        return await self._exchange(url, ask, asked)
        except (aiohttp.ClientError, OSError, ValueError, FetchError) as error:
            raise foreign(error) from None

    async def _exchange(self, url: str, ask: Ask, asked: tuple[str, ...]) -> Response:
        if self._secure and url.startswith("https:"):
            return await self._secure.exchange(url, ask, large=self._large, redirects=asked)
        return await exchange(self._session, url, ask, large=self._large, redirects=asked)


def _target(response: Response) -> str:
    target = urls.resolve(response.url, response.headers.get("location", ""))
    if target is None or "location" not in response.headers:
        raise FetchError("bad_redirect", response.headers.get("location", "no Location")[:200], response.status)
    return target


def _jitter(url: str) -> float:
    """Return 0.5 to 1.5, another for each URL, so that what failed together does not come back together."""
    return 0.5 + zlib.crc32(url.encode()) / 2**32
