"""What is known of the answer to a URL, whatever becomes of it: headers, rights signals, when and how long it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.image import rights as image_rights
from witbuild.image.failure import ImageError
from witbuild.stages.fetch.journal import Outcome
from witbuild.web import rights
from witbuild.web.client import FetchError

if TYPE_CHECKING:
    from witbuild.stages.fetch.journal import Image
    from witbuild.web.client import Budget, Head

_MAX_CHARACTERS = 500


@dataclass(slots=True)
class Seen:
    """Gathers it while a request goes on.

    Args:
        url: asked for.
        budget: of the request, which knows its times.
        agent: the crawler's product token.
        strict: an opt-out in the headers ends the request before its body.
    """

    url: str
    budget: Budget
    agent: str
    strict: bool
    head: Head | None = None
    signals: tuple[str, ...] = ()

    def inspect(self, head: Head) -> None:
        """Look at the headers of an answer that is no redirect."""
        said = rights.opt_outs((), head.fields, self.agent)
        self.head, self.signals = head, (*head.site, *said)
        if self.strict and said:
            raise FetchError("opt_out_header", ", ".join(said), head.status)

    def look(self, body: bytes) -> None:
        """Look at what the image itself says; its opt-out ends the matter before anything is decoded or stored."""
        said = image_rights.signals(body)
        self.signals = (*self.signals, *said)
        if self.strict and any(map(image_rights.refuses, said)):
            raise ImageError("opt_out_image", ", ".join(said))

    def kept(self, image: Image | None) -> Outcome:
        """Return the outcome of a body that was taken."""
        return self._outcome("ok", None, None, image)

    def failed(self, failure: FetchError | ImageError) -> Outcome:
        """Return the outcome of a failure."""
        if failure.reason == "opt_out_site":
            self.signals = tuple(failure.detail.split(", "))
        return self._outcome(failure.reason, failure.detail or None, getattr(failure, "http_status", None), None)

    def _outcome(self, status: str, detail: str | None, http_status: int | None, image: Image | None) -> Outcome:
        headers = self.head.headers if self.head else {}
        return Outcome(
            url=self.url,
            status=status,
            detail=detail,
            http_status=self.head.status if self.head else http_status,
            final_url=self.head.url if self.head else None,
            mime=_short(headers.get("content-type")),
            etag=_short(headers.get("etag")),
            last_modified=_short(headers.get("last-modified")),
            licence=_short(rights.licence_link(headers.get("link", ""))),
            signals=",".join(self.signals) or None,
            started=self.budget.started,
            seconds=round(self.budget.spent, 4),
            image=image,
        )


def _short(value: str | None) -> str | None:
    """Bound what a server wrote and keep it valid text."""
    return None if value is None else value[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()
