"""robots.txt by RFC 9309: fetched once an origin, however many wait for it, and kept for the client's life.

answer                         means
2xx                            its rules, the first 500 KiB of them
4xx, not 429                   everything is allowed (section 2.3.1.3)
5xx, 429, timeout, reset       nothing is allowed (section 2.3.1.4)
no host, nothing listening     the failure of every URL there
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from protego import Protego

from witbuild.web import urls, usage
from witbuild.web.aside import Aside
from witbuild.web.origins import Origins
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_BYTES = 500 * 1024
"""The least that a crawler must read, and the most that this one does (section 2.5)."""
_NO_HOST = frozenset({"dns", "refused", "unreachable", "private_address", "port", "host_gave_up", "tls"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What an origin allows to one crawler."""

    parsed: Protego
    agent: str
    usage: usage.Usage
    size: int = 0
    """Bytes of the file."""

    def allows(self, url: str) -> bool:
        """Say whether the URL may be fetched."""
        return bool(self.parsed.can_fetch(url, self.agent))

    def reservation(self, url: str) -> str | None:
        """Return what the file says against training on a URL, such as `train-ai=n`."""
        return self.usage.reservation(urls.path(url)) if self.usage.statements else None

    def verdict(self, url: str) -> tuple[bool, str | None]:
        """Return whether the URL may be fetched, and what the file says against training on it."""
        return self.allows(url), self.reservation(url)

    @property
    def delay_seconds(self) -> float:
        """Return the crawl delay, 0 when there is none."""
        return float(self.parsed.crawl_delay(self.agent) or 0.0)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """Return the sitemaps that the file names, as written."""
        return tuple(self.parsed.sitemaps)


def parse(body: bytes, agent: str) -> Rules:
    r"""Read a robots.txt, whatever its bytes are.

    Example:
        >>> rules = parse(b"User-agent: *\nDisallow: /no\nCrawl-delay: 2", "witbuild")
        >>> rules.allows("http://a.test/no/x"), rules.allows("http://a.test/yes"), rules.delay_seconds
        (False, True, 2.0)
    """
    text = body[:MAX_BYTES].decode("utf-8-sig", "replace")
    return Rules(Protego.parse(text), agent, usage.parse(text, agent), len(body))


def token(user_agent: str) -> str:
    """Return the product token, what robots.txt calls the crawler (section 2.2.1).

    Example:
        >>> token("witbuild/0.1 (+https://example.org/bot)")
        'witbuild'
    """
    return "".join(user_agent.replace("/", " ").split(maxsplit=1)[:1])


class Robots:
    """The rules of every origin that was asked about.

    Args:
        fetch: URL of a robots.txt -> its body; FetchError when there is none.
        agent: the crawler's product token.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[bytes]], agent: str) -> None:
        self._fetch = fetch
        self._agent = agent
        self._origins = Origins(self._load)
        self._aside = Aside()

    async def rules(self, url: str) -> Rules:
        """Return the rules for a URL's origin; FetchError (robots_unavailable, or the host's own) when none apply."""
        outcome = await self._origins.of(url)
        if isinstance(outcome, FetchError):
            raise FetchError(outcome.reason, outcome.detail, outcome.http_status)
        return outcome

    async def check(self, url: str) -> tuple[Rules, str | None]:
        """Return the rules and what they say against training on the URL; FetchError (robots) when they forbid it."""
        rules = await self.rules(url)
        allowed, reservation = await self._aside.do(rules.verdict, rules.size, url)
        if not allowed:
            raise FetchError("robots", "robots.txt forbids it")
        return rules, reservation

    async def _load(self, origin: str) -> Rules | FetchError:
        try:
            body = await self._fetch(f"{origin}/robots.txt")
        except FetchError as error:
            return _meaning(error, self._agent)
        return await self._aside.do(parse, len(body), body, self._agent)

    def close(self) -> None:
        """End the fetches that still run."""
        self._origins.close()
        self._aside.close()


@lru_cache(maxsize=8)
def _everything(agent: str) -> Rules:
    """Return rules that allow everything, the same for all origins: most have no robots.txt."""
    return parse(b"", agent)


def _meaning(error: FetchError, agent: str) -> Rules | FetchError:
    status = error.http_status or 0
    if 400 <= status < 500 and status != 429:
        return _everything(agent)
    if error.reason in _NO_HOST:
        return error
    return FetchError("robots_unavailable", f"robots.txt: {error}", error.http_status)
