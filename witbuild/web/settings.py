"""How the client behaves: every dial in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.errors import PolicyError
from witbuild.web.addresses import PORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTACT = re.compile(r"[^\s@]+@[^\s@]+|https?://[^\s/]+|\bwww\.\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a client behaves; times in seconds.

    Attributes:
        user_agent: sent with every request; must name a contact, a mail address or a URL.
        timeout_seconds: total deadline of a get: connections, redirects, retries and bodies together.
        max_bytes: of a body, before and after decompression.
        connections: requests on the wire at once.
        per_host: of them to one host.
        delay_seconds: from the start of one request to a host to the start of the next.
        max_delay_seconds: longest wait that a server may impose, by crawl delay or Retry-After.
        retries: further attempts after 429, 5xx, a reset or a short body.
        backoff_seconds: pause before the first of them; doubled each time.
        give_up_after: failures of a host in a row (half as many if it never answered) after which its other URLs are
            not tried; 0: never.
        give_up_after_timeouts: timeouts in a row, counted likewise; 0: never.
        max_redirects: hops after the first.
        resolve: host -> `address:port` to connect to instead of what its name says.
        allow_private: open loopback, private and documentation addresses too.
        ports: that URLs may name.
        robots: obey robots.txt.
        notices: obey what sites say against training: usage preferences in robots.txt, ai.txt and tdmrep.json.
        block_hosts: hosts and domains of which nothing is fetched, those below them included.
        proxy: http://host:port through which every request goes; nothing else is connected to then.
        hours: of the day, local time, in which requests start, such as 22:00-06:00; empty: all.
        http2: speak HTTP/2 with https servers that do; needs the extra http2.
        bytes_per_second: at most, of all bodies together, on average; 0: no bound.
    """

    user_agent: str
    timeout_seconds: float = 30.0
    max_bytes: int = 20_000_000
    connections: int = 256
    per_host: int = 2
    delay_seconds: float = 0.0
    max_delay_seconds: float = 60.0
    retries: int = 2
    backoff_seconds: float = 1.0
    give_up_after: int = 32
    give_up_after_timeouts: int = 4
    max_redirects: int = 5
    resolve: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False
    ports: frozenset[int] = PORTS
    robots: bool = True
    notices: bool = False
    block_hosts: frozenset[str] = frozenset()
    proxy: str = ""
    hours: str = ""
    http2: bool = False
    bytes_per_second: float = 0.0


def check_user_agent(user_agent: str) -> None:
    """Raise PolicyError when a user agent names nobody that the owner of a site could write to.

    Example:
        >>> check_user_agent("mybot/1.0 (+https://example.org/bot)")
    """
    if not user_agent.isascii() or not user_agent.isprintable():
        raise PolicyError(f"user_agent: found {user_agent!r}, expected printable ASCII")
    if not _CONTACT.search(user_agent):
        raise PolicyError(
            f"user_agent: found {user_agent!r}, expected a name and a contact that site owners can write to, "
            "for example 'mybot/1.0 (+https://example.org/bot; bot@example.org)'"
        )
