"""An HTTP proxy, through which every request goes and beside which nothing is connected to.

A URL is judged, and its name looked up and judged, before it is handed over; the proxy then looks the name up once
more, so a name whose answers change (DNS rebinding) is the proxy's own to refuse.
"""

from __future__ import annotations

import asyncio
import socket

import can_ada
from aiohttp.abc import AbstractResolver, ResolveResult

from witbuild.errors import RecipeError
from witbuild.web.resolver import entry, system_lookup


class Proxy(AbstractResolver):
    """Where the proxy is; also what aiohttp asks when it connects, since it connects to nothing else.

    Args:
        url: `http://host:port`, with `user:password@` before the host where the proxy wants it.

    Raises:
        RecipeError: it is none.

    Example:
        >>> Proxy("http://127.0.0.1:3128").is_at("127.0.0.1", 3128)
        True
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = can_ada.parse(url)
        except ValueError:
            parsed = None
        if parsed is None or parsed.protocol != "http:" or not parsed.hostname:
            raise RecipeError(f"proxy: found {url!r}, expected http://host:port")
        self.url = url
        self._host = parsed.hostname.strip("[]")
        self._port = int(parsed.port or 80)
        self._addresses: tuple[str, ...] = ()

    def is_at(self, address: str, port: int) -> bool:
        """Say whether a socket would lead to the proxy."""
        return port == self._port and str(address) in {self._host, *self._addresses}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer aiohttp, of the proxy's name alone."""
        if host != self._host:
            raise OSError(f"{host} is not the proxy")
        if not self._addresses:
            self._addresses = await asyncio.get_running_loop().run_in_executor(None, system_lookup, host)
        return [entry(host, address, port) for address in self._addresses]

    async def close(self) -> None:
        """Nothing is held."""
