"""Names to pinned addresses: resolved once, checked, and nothing else is connected to.

A name is looked up once for all that wait for it; the checked answer, a failure too, is kept for ten minutes.
So an answer that changes between the check and the connection (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult

from witbuild.errors import PolicyError
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from witbuild.web.addresses import Guard

LIFETIME_SECONDS = 600.0
THREADS = 64
"""Lookups at once: getaddrinfo blocks, for seconds when a name server is dead."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a host's connections go: addresses in the system's order; a port only when an override names one."""

    addresses: tuple[str, ...]
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is known, or being found out, of a host; its failure is a result as well."""

    expires: float
    begun: asyncio.Event
    task: asyncio.Task[Pinned | FetchError]


def system_lookup(host: str) -> tuple[str, ...]:
    """Return the addresses that the system's resolver gives, without repeats; OSError or UnicodeError when none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse_override(text: str) -> Pinned:
    """Read `address:port` (IPv6 in brackets), the value of an override.

    Example:
        >>> parse_override("127.0.0.1:8000")
        Pinned(addresses=('127.0.0.1',), port=8000)
    """
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise PolicyError(f"resolve: found {text!r}, expected address:port, for example 127.0.0.1:8000")
    return Pinned((address.strip("[]"),), int(port))


class Resolver(AbstractResolver):
    """Resolves, checks and pins; also what aiohttp asks when it connects.

    Args:
        guard: judges each address.
        overrides: host -> `address:port`, which is connected to instead (curl calls it `--resolve`).
        lookup: host -> addresses, blocking; runs in threads.
    """

    def __init__(
        self,
        guard: Guard,
        overrides: Mapping[str, str] | None = None,
        lookup: Callable[[str], tuple[str, ...]] | None = None,
    ) -> None:
        self._guard = guard
        self._overrides = {host.lower(): parse_override(text) for host, text in (overrides or {}).items()}
        self._lookup = lookup or system_lookup
        self._known: dict[str, Lookup] = {}
        self._places = asyncio.Semaphore(THREADS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")

    async def pin(self, host: str) -> Pinned:
        """Return where connections to a host go; FetchError (dns, private_address) when nowhere."""
        # shield: one waiter's deadline must not end the lookup of the others
        outcome = await asyncio.shield(self._looked_up(host).task)
        if isinstance(outcome, FetchError):
            raise FetchError(outcome.reason, outcome.detail)
        return outcome

    async def begun(self, host: str) -> None:
        """Wait until the lookup of a host has begun: those before it in the queue are no fault of the host's."""
        await self._looked_up(host).begun.wait()

    def _looked_up(self, host: str) -> Lookup:
        loop = asyncio.get_running_loop()
        known = self._known.get(host)
        if known is None or known.expires < loop.time():
            begun = asyncio.Event()
            task = loop.create_task(self._find(host, begun))
            known = self._known[host] = Lookup(loop.time() + LIFETIME_SECONDS, begun, task)
        return known

    async def _find(self, host: str, begun: asyncio.Event) -> Pinned | FetchError:
        """Return a failure instead of raising it, so that it can be kept and nobody need fetch it."""
        try:
            pinned = self._overrides.get(host) or Pinned(await self._addresses(host, begun))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name server could hold
            return FetchError("dns", f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}")
        finally:
            begun.set()
        allowed = tuple(address for address in pinned.addresses if self._guard.allows(address))
        if not allowed:
            return FetchError("private_address", f"{host} has no public address")
        return Pinned(allowed, pinned.port)

    async def _addresses(self, host: str, begun: asyncio.Event) -> tuple[str, ...]:
        async with self._places:
            begun.set()
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer aiohttp from what is pinned."""
        pinned = await self.pin(host)
        return [entry(host, address, pinned.port or port) for address in pinned.addresses]

    async def close(self) -> None:
        """Forget everything; lookups that still run end unheard."""
        for known in self._known.values():
            known.task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


def entry(host: str, address: str, port: int) -> ResolveResult:
    """Return an address as aiohttp takes it."""
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
