"""Why a URL was not fetched: one word a cause, the same in funnels, tables and tests.

Whatever a server, a resolver or a library does wrong ends as one FetchError; `foreign` is the only place
where other libraries' exceptions are read.
"""

from __future__ import annotations

import errno
import os

from witbuild.errors import WitbuildError, WorkerError

REASONS = {
    "bad_url": "not an http or https URL, or one with credentials",
    "port": "a port that the settings do not allow",
    "private_address": "the host's addresses are not on the public internet",
    "blocked_host": "the host, or a domain that it lies in, is in the list of blocked hosts",
    "blocked_hash": "the body is in the list of blocked hashes",
    "dns": "the host's name has no address",
    "refused": "nothing listens there",
    "unreachable": "no way to the host's network",
    "proxy": "the proxy refused, or could not be reached",
    "tls": "no secure connection: certificate, protocol or handshake",
    "timeout": "not done within the total deadline, or too slow to be",
    "reset": "the server closed the connection before the answer was whole",
    "short_body": "the body ended before the length that was announced",
    "bad_http": "the answer is not HTTP, or its headers are beyond the bounds",
    "bad_encoding": "a Content-Encoding that is unknown or broken",
    "too_large": "more bytes than allowed, before or after decompression",
    "redirect_loop": "a redirect to a URL already seen, or too many redirects",
    "bad_redirect": "a redirect to no web URL",
    "robots": "robots.txt forbids the URL",
    "robots_unavailable": "robots.txt could not be had for a reason that means no (RFC 9309, section 2.3.1.4)",
    "opt_out_site": "the site says no to training: usage preferences in robots.txt, ai.txt or tdmrep.json",
    "crawl_delay": "robots.txt asks for a longer delay than the settings are ready to wait",
    "host_gave_up": "too many failures of the host in a row; the rest was not tried",
    "http_NNN": "the server answered with that status",
}
"""Every reason that the client gives -> what it means."""

_ERRNO = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "timeout",
}
_OURS = frozenset({errno.EMFILE, errno.ENFILE})


class FetchError(WitbuildError):
    """A URL was not fetched.

    Attributes:
        reason: a key of REASONS, or `http_` and the status.
        detail: what happened in words.
        http_status: the last status, when there was one.
        retry_after_seconds: how long the server asks to wait, when it does.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds


def foreign(error: Exception) -> FetchError | WorkerError:
    """Return the FetchError that an exception of asyncio, the sockets or aiohttp means.

    That this machine has no more files to open is a WorkerError: no URL must be refused for it.

    Its detail holds no address, port or object's name in memory: two runs against one server tell the same.

    Example:
        >>> print(foreign(ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 8000)")))
        refused: Connection refused
        >>> print(foreign(TimeoutError()))
        timeout
    """
    if isinstance(error, FetchError):
        return error
    number = getattr(error, "errno", None)
    if number in _OURS:
        return WorkerError(f"no more open files ({os.strerror(number)}): raise `ulimit -n`, or give fewer connections")
    for classes, reason in _kinds():
        if isinstance(error, classes):
            return FetchError(reason, _words(error))
    return FetchError(_ERRNO.get(number or 0, "unreachable" if number else "reset"), _words(error))


def _kinds() -> tuple[tuple[tuple[type[Exception], ...], str], ...]:
    import aiohttp

    return (
        ((TimeoutError,), "timeout"),
        ((aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError), "proxy"),
        ((aiohttp.ClientConnectorDNSError,), "dns"),
        ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), "tls"),
        ((aiohttp.ClientPayloadError,), "short_body"),
        ((aiohttp.ServerDisconnectedError,), "reset"),
        ((aiohttp.InvalidURL,), "bad_url"),
        ((aiohttp.ClientResponseError, ValueError), "bad_http"),
    )


def _words(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, TimeoutError):
        return ""
    if isinstance(error, OSError) and number:
        return os.strerror(number)
    cause = error.__cause__ or error.__context__
    return type(error).__name__ + (f" after {type(cause).__name__}" if cause else "")
