"""Asking a JSON API: politely, again while it is busy, and with the reason when it says no.

ask(url)
 ├ kept from an earlier attempt       no request
 └ a place (witbuild.web.turnstile) -> one GET -> JSON -> what the API itself says of it
    ├ busy: 429, 5xx, no connection, or as the API words it      all rest, then again
    ├ refused: this question cannot be answered                  RefusedError, the next question may be
    └ closed: no question will be                                an error that ends the work
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from witbuild.errors import InputError, PolicyError, RetryLaterError
from witbuild.web.reasons import FetchError
from witbuild.web.slots import HOST_FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from witbuild.web.client import Client, Head
    from witbuild.web.turnstile import Turnstile

TRIES = 6
FIRST_PAUSE_SECONDS = 2.0
MAX_PAUSE_SECONDS = 60.0
"""Longest pause that an API may ask for before the work is put off to another time."""
MAX_ANSWER_BYTES = 32_000_000
_BUSY = HOST_FAILURES | {"short_body", "bad_encoding", "http_500", "http_502", "http_504", "bad_answer"}
_REFUSED = {"http_400": "query_refused", "http_413": "query_refused", "http_414": "query_refused"}
_CLOSED = frozenset({"http_401", "http_403", "private_address", "port"})


class RefusedError(Exception):
    """A question was not answered, for a reason that says nothing about others.

    Attributes:
        reason: as a funnel calls it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Kept(Protocol):
    """Where answers are kept."""

    def get(self, url: str) -> bytes | None:
        """Return the answer of a URL, or None when it was not asked for."""

    def keep(self, url: str, body: bytes) -> None:
        """Keep an answer."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The API asks to come back later.

    Attributes:
        reason: in its words.
        seconds: to wait, when it says so.
    """

    reason: str
    seconds: float | None = None


@dataclass(slots=True, kw_only=True)
class Asker:
    """Asks one API, one question at a time.

    Attributes:
        client: without retries of its own; it guards addresses and keeps the deadline.
        turnstile: in front of the API, for all processes of the machine.
        kept: answers of earlier attempts.
        judge: reads from an answer whether the API is busy; it raises RefusedError or PolicyError when it says no.
        spent: reads from a good answer's head whether it was the last for now.
        headers: to send, such as a token.
        waiting: what it was that `spent` found.
    """

    client: Client
    turnstile: Turnstile
    kept: Kept
    judge: Callable[[dict[str, Any], Head], Busy | None]
    spent: Callable[[Head], Busy | None]
    headers: Mapping[str, str] = field(default_factory=dict)
    waiting: Busy | None = None

    async def ask(self, url: str) -> dict[str, Any]:
        """Return the answer, a JSON object.

        Raises:
            RefusedError: this question is not answered.
            RetryLaterError: the API stayed busy.
            PolicyError: it lets us ask nothing.
            InputError: there is no such API.
        """
        body = self.kept.get(url)
        if body is not None:
            return _parsed(body)
        for attempt in range(TRIES):
            if self.waiting:
                self._rest(url, self.waiting, attempt)
            outcome = await self._once(url)
            if isinstance(outcome, dict):
                return outcome
            if attempt == TRIES - 1 or (attempt and outcome.reason == "bad_answer"):
                raise _given_up(url, outcome)
            self.waiting = outcome
        raise AssertionError("unreachable")

    def _rest(self, url: str, busy: Busy, attempt: int) -> None:
        """Let nobody ask for as long as the API wants it, or for longer and longer."""
        pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) if busy.seconds is None else busy.seconds
        self.waiting = None
        if pause > MAX_PAUSE_SECONDS:
            raise _given_up(url, busy)
        self.turnstile.rest(pause)

    async def _once(self, url: str) -> dict[str, Any] | Busy:
        async with self.turnstile:
            try:
                answer = await self.client.get(
                    url, accept="application/json", headers=self.headers, max_bytes=MAX_ANSWER_BYTES
                )
                found = _parsed(answer.body)
            except FetchError as failure:
                return _busy(url, failure)
        busy = self.judge(found, answer)
        if busy is None:
            self.kept.keep(url, answer.body)
            self.waiting = self.spent(answer)
        return found if busy is None else busy


def _given_up(url: str, busy: Busy) -> Exception:
    if busy.reason == "bad_answer":
        return RefusedError("bad_answer", url)
    wish = "" if busy.seconds is None else f", and asks to wait {busy.seconds:g} s"
    return RetryLaterError(f"{url}: {busy.reason}{wish}; run again later, what was answered is kept")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FetchError("bad_answer", "not a JSON object")
    return found


def _busy(url: str, failure: FetchError) -> Busy:
    """Return when to come back; an error when there is no sense in it."""
    if failure.reason in _BUSY:
        return Busy(failure.reason, failure.retry_after_seconds)
    if failure.reason in _REFUSED:
        raise RefusedError(_REFUSED[failure.reason], failure.detail) from failure
    if failure.reason == "too_large":
        raise RefusedError("answer_too_large", failure.detail) from failure
    if failure.reason in _CLOSED:
        raise PolicyError(f"{url}: {failure}; the API lets us ask nothing: look at token and address") from failure
    raise InputError(f"{url}: {failure}; expected the address of an API") from failure


def address(api: str, parameters: Mapping[str, str | int]) -> str:
    """Return the URL of a question.

    Example:
        >>> address("https://a.test/api", {"q": "ice cream", "n": 3})
        'https://a.test/api?q=ice%20cream&n=3'
    """
    return f"{api}?{urlencode(parameters, quote_via=quote, errors='replace')}"
