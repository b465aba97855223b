"""https by HTTP/2 where the server speaks it, else by HTTP/1.1; many requests on one connection.

The library (httpcore2, extra `http2`) decides nothing of what matters here: it connects by `_Pinned`, which asks our
resolver and our guard, and heads and bodies pass through the same checks and bounds as those of aiohttp.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import can_ada

from witbuild.errors import MissingExtraError, RecipeError
from witbuild.web.reasons import FetchError
from witbuild.web.wire import Head, Response, flat, received

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from witbuild.web.addresses import Guard
    from witbuild.web.resolver import Resolver
    from witbuild.web.settings import Settings
    from witbuild.web.wire import Ask

_IDLE_SECONDS = 30.0


def library(proxy: str = "") -> tuple[Any, type[Exception]]:
    """Return the library and the base of the errors that it lets through.

    Raises:
        RecipeError: there is a proxy, which would see to connections itself.
        MissingExtraError: the library is not installed.
    """
    if proxy:
        raise RecipeError("http2: not through a proxy; leave one of the two out")
    try:
        import h2.exceptions
        import httpcore2
    except ImportError as error:
        raise MissingExtraError("HTTP/2", "http2") from error
    return httpcore2, h2.exceptions.H2Error


class Secure:
    """A pool of connections to https servers.

    Args:
        resolver: that pins names.
        guard: asked once more before each connection.
        settings: user agent; no proxy.
        kept: connections that nothing is asked on, at most.

    Raises:
        RecipeError, MissingExtraError: as `library` says.
    """

    def __init__(self, resolver: Resolver, guard: Guard, settings: Settings, kept: int) -> None:
        httpcore2, h2_error = library(settings.proxy)
        self._library: Any = httpcore2
        self._wrong = (h2_error, httpcore2.ProtocolError, httpcore2.NetworkError, OSError)
        self._agent = settings.user_agent.encode()
        self._pool: Any = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,
            max_keepalive_connections=kept,
            keepalive_expiry=_IDLE_SECONDS,
            http1=True,
            http2=True,
            network_backend=_backend(httpcore2, resolver, guard),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def exchange(self, url: str, ask: Ask, *, large: asyncio.Semaphore, redirects: tuple[str, ...]) -> Response:
        """Send one request and read its answer, a redirect's without its body.

        Raises:
            FetchError: any failure but the end of the caller's deadline.
        """
        parsed = can_ada.parse(url)
        target = self._library.URL(
            scheme="https", host=parsed.hostname.strip("[]"), port=int(parsed.port or 443),
            target=parsed.pathname + parsed.search,
        )  # fmt: skip
        sent = [(b"Host", parsed.host.encode()), (b"User-Agent", self._agent)]
        sent += [(name.encode(), value.encode("latin-1", "replace")) for name, value in ask.headers.items()]
        head: Head | None = None
        try:
            async with self._pool.stream("GET", target, headers=sent) as answer:
                fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
                head = Head(url, answer.status, flat(fields), redirects, fields, ask.site)
                pieces = answer.aiter_stream().__aiter__()

                async def read() -> bytes:
                    return await anext(pieces, b"")

                return await received(head, ask, read, large)
        except self._wrong as error:
            raise self._meaning(error, in_body=head is not None) from None

    def _meaning(self, error: BaseException, *, in_body: bool) -> FetchError:
        """Return the FetchError that an exception of the library means."""
        causes = list(_chain(error))
        words = next((str(one.strerror) for one in causes if isinstance(one, OSError) and one.strerror), "")
        if any(isinstance(one, ssl.SSLError) for one in causes) and not in_body:
            return FetchError("tls", type(error).__name__)
        if isinstance(error, self._library.ConnectError):
            refused = any(isinstance(one, ConnectionRefusedError) for one in causes)
            return FetchError("refused" if refused else "unreachable", words)
        if in_body:
            return FetchError("short_body", type(error).__name__)
        gone = isinstance(error, (self._library.NetworkError, OSError)) or "disconnected" in str(error)
        return FetchError("reset" if gone else "bad_http", type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, what it comes from, and what is in groups of them."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _chain(one)
        error = error.__cause__ or error.__context__


def _backend(library: Any, resolver: Resolver, guard: Guard) -> Any:
    """Return what the library connects by: pinned addresses, each judged once more."""

    class Pinned(library.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
            pinned = await resolver.pin(host)
            failure: Exception = library.ConnectError("no address")
            for address in pinned.addresses:
                guard.check_address(address)
                try:
                    return await super().connect_tcp(address, pinned.port or port, *rest, **more)
                except library.ConnectError as error:
                    failure = error
            raise failure

    return Pinned()
