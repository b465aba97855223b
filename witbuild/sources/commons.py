"""Wikimedia Commons, or any MediaWiki with files: searched for each query, or listed from A to Z.

    action=query & generator=search | allimages & prop=imageinfo
     └ pages of a batch, in pieces until `batchcomplete`; then the next batch, from where `continue` says

Formats: https://www.mediawiki.org/wiki/API:Query, API:Continue, API:Imageinfo, Manual:Maxlag parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.errors import PolicyError, RecipeError
from witbuild.sources.api import Api, Question
from witbuild.sources.draw import phrase
from witbuild.sources.found import Found
from witbuild.sources.json_shapes import MAX_CHARACTERS, mapping, mappings, number, words
from witbuild.web import urls
from witbuild.web.asking import Busy, RefusedError, address
from witbuild.web.html import language
from witbuild.web.snippet import text as plain
from witbuild.web.wire import retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from witbuild.stage import Task
    from witbuild.web.asking import Asker
    from witbuild.web.wire import Head

BATCH = 50
"""Files an answer: their descriptions make it some hundred kilobytes long."""
IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""What `fetch` reads."""
THUMBNAIL_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""Widths that Wikimedia's servers make (https://www.mediawiki.org/wiki/Common_thumbnail_sizes)."""
MAX_BATCHES = 10_000
"""Answers to one question: more mean that the wiki sends us in a circle."""
_ASKED = {
    "action": "query",
    "format": "json",
    "formatversion": "2",
    "prop": "imageinfo",
    "iiprop": "url|size|mime|thumbmime|extmetadata",
    "iiextmetadatamultilang": "1",
    "iiextmetadatafilter": "ObjectName|ImageDescription|LicenseUrl|LicenseShortName|Attribution|Artist|Credit",
}
_BUSY = frozenset({"maxlag", "ratelimited", "readonly", "cirrussearch-too-busy-error", "cirrussearch-backend-error"})
_CLOSED = frozenset({"readapidenied", "permissiondenied", "blocked", "autoblocked", "mwoauth-invalid-authorization"})
_FIRST_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, kw_only=True)
class Commons(Api):
    """Files of a MediaWiki.

    Attributes:
        listing: `search` for queries, or `allimages`, by name.
        search_filter: added to every query.
        thumbnail_width: pixels; 0: the originals.
        max_lag_seconds: of the wiki's databases, beyond which it is left alone.
    """

    kind: ClassVar[str] = "commons"
    api: ClassVar[str] = "https://commons.wikimedia.org/w/api.php"
    places: ClassVar[int] = 3
    token: ClassVar[str] = "WITBUILD_COMMONS_TOKEN"  # noqa: S105 - a variable's name

    listing: str
    search_filter: str
    thumbnail_width: int
    max_lag_seconds: int

    def check(self) -> None:
        """Refuse widths that Wikimedia does not make."""
        super().check()
        wikimedia = urls.registered_domain(self.address) == "wikimedia.org"
        if wikimedia and self.thumbnail_width not in (0, *THUMBNAIL_WIDTHS):
            known = ", ".join(map(str, THUMBNAIL_WIDTHS))
            raise RecipeError(
                f"thumbnail_width: found {self.thumbnail_width}, Wikimedia makes {known}; or 0: originals"
            )

    def plan(self) -> Iterator[Task]:
        """Yield tasks that list the wiki's files; without queries there is nothing to search."""
        if self.listing == "search":
            yield from super().plan()
        self.check()
        slices = max(1, min(self.shards, len(_FIRST_LETTERS)))
        cuts = [{"slice": index, "slices": slices} for index in range(slices)]
        yield from self.numbered([((self.address,), cut) for cut in cuts])

    def plan_over(self, queries: tuple[str, ...]) -> Iterator[Task]:
        """Yield a task for each slice of the queries, or of the names."""
        return super().plan_over(queries) if self.listing == "search" else self.plan()

    def questions(self, task: Task) -> Iterator[Question]:
        """Yield the task's queries, or its range of names."""
        if self.listing == "search":
            yield from super().questions(task)
        else:
            yield _range(task.arguments["slice"], task.arguments["slices"])

    def question(self, query: str) -> Question:
        """Return what asks for a query: for all its words in their order."""
        return {"gsrsearch": f"{phrase(query)} {self.search_filter}".strip()}

    def most(self, question: Question) -> int | None:
        """Return how many files of a question are looked at."""
        return self.per_query if self.listing == "search" else None

    def judge(self, answer: dict[str, Any], head: Head) -> Busy | None:
        """Read what the wiki says of itself."""
        error = answer.get("error")
        if error is None:
            return None
        code = str(mapping(error).get("code"))
        if code in _BUSY or code.startswith("internal_api_error"):
            return Busy(code, retry_after_seconds(head.headers.get("retry-after", "")))
        if code in _CLOSED:
            raise PolicyError(f"{head.url}: {code}: {words(mapping(error).get('info'))}; the wiki lets us ask nothing")
        raise RefusedError("bad_continue" if code == "badcontinue" else "query_refused", code)

    async def images(self, asker: Asker, question: Question) -> AsyncGenerator[Found | str]:
        """Yield a question's files, batch by batch."""
        more: Question = {}
        pages: dict[str, dict[str, Any]] = {}
        for _ in range(MAX_BATCHES):
            answer = await asker.ask(self._address(question, more))
            for page in _pages(answer):
                pages.setdefault(str(page.get("pageid")), {}).update(page)
            if answer.get("batchcomplete") or "continue" not in answer:
                for page in sorted(pages.values(), key=_order):
                    yield self._found(page, question)
                pages = {}
            if "continue" not in answer:
                return
            more, last = _continue(answer), more
            if more == last:
                break
        raise RefusedError("bad_continue", "the same again")

    def _address(self, question: Question, more: Question) -> str:
        search = self.listing == "search"
        how = {"generator": "search", "gsrnamespace": "6", "gsrwhat": "text"} if search else {"generator": "allimages"}
        size = {"gsrlimit" if search else "gailimit": str(min(BATCH, self.per_query if search else BATCH))}
        width = {"iiurlwidth": str(self.thumbnail_width)} if self.thumbnail_width else {}
        lag = {"maxlag": str(self.max_lag_seconds)}
        return address(self.address, {**_ASKED, **lag, **how, **size, **width, **question, **more})

    def _found(self, page: dict[str, Any], question: Question) -> Found | str:
        """Return the file of a page, or why it is none."""
        info = next(iter(mappings(page.get("imageinfo"))), {})
        thumb = "thumb" if self.thumbnail_width and info.get("thumburl") else ""
        url = info.get(f"{thumb}url")
        if not isinstance(url, str):
            return "no_file"
        if info.get("thumbmime" if thumb else "mime") not in IMAGES:
            return "file_type"
        said = mapping(info.get("extmetadata"))
        columns = {
            "page_url": words(info.get("descriptionurl")),
            "licence": _said(said, "LicenseUrl") or _said(said, "LicenseShortName"),
            "attribution": _attribution(said),
            "width": number(info.get(f"{thumb}width")),
            "height": number(info.get(f"{thumb}height")),
        }
        place = address(self.address, question)
        return Found(url=url, texts=_texts(said), file=place, record=number(page.get("pageid")), columns=columns)


def _range(index: int, slices: int) -> Question:
    """Return the range of names of a slice; the first one begins and the last one ends with the wiki's files.

    Example:
        >>> _range(0, 1), _range(0, 2), _range(1, 2)
        ({}, {'gaito': 'I'}, {'gaifrom': 'I'})
    """
    start, stop = (_FIRST_LETTERS[len(_FIRST_LETTERS) * part // slices :][:1] for part in (index, index + 1))
    begin = {"gaifrom": start} if index else {}
    return {**begin, "gaito": stop} if stop else begin


def _pages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return mappings(mapping(answer.get("query")).get("pages"))


def _continue(answer: dict[str, Any]) -> Question:
    return {str(name): str(value) for name, value in mapping(answer["continue"]).items()}


def _order(page: dict[str, Any]) -> tuple[int, str]:
    """Return a page's place: its rank in a search, its name in a list."""
    index = page.get("index")
    return index if isinstance(index, int) else 0, str(page.get("title"))


def _texts(said: dict[str, Any]) -> tuple[tuple[str, str, str | None], ...]:
    """Return the descriptions, one a language, and the name."""
    description = mapping(said.get("ImageDescription")).get("value")
    spoken = description if isinstance(description, dict) else {"": description}
    found = [("api", text, language(tag)) for tag, text in spoken.items() if tag != "_type" and isinstance(text, str)]
    name = _said(said, "ObjectName")
    return tuple((source, plain(text), tag) for source, text, tag in [*found, ("title", name or "", None)])


def _said(said: dict[str, Any], name: str) -> str | None:
    """Return what extended metadata say under a name, as text; of several languages English, or the first.

    Example:
        >>> _said({"Artist": {"value": {"de": "<b>A</b>", "en": "B", "_type": "lang"}}}, "Artist")
        'B'
    """
    value = mapping(said.get(name)).get("value")
    if isinstance(value, dict):
        value = value.get("en") or next(iter(value.values()), None)
    return plain(value)[:MAX_CHARACTERS] or None if isinstance(value, str) else None


def _attribution(said: dict[str, Any]) -> str | None:
    """Return the words that the file's page asks for, or else its author and what it credits.

    Example:
        >>> _attribution({"Artist": {"value": "Alice"}, "Credit": {"value": "Own work"}})
        'Alice, Own work'
    """
    parts = (_said(said, "Artist"), _said(said, "Credit"))
    return _said(said, "Attribution") or ", ".join(part for part in parts if part)[:MAX_CHARACTERS] or None
