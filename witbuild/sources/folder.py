"""Folders: images with their texts beside them, or HTML pages, as a web server would serve them under `base_url`.

a.jpg  a.txt             the image a.jpg has the caption in a.txt
metadata.csv, .jsonl     `file_name` (or `image`) and `text` (or `caption`), Hugging Face's imagefolder
a.html                   a page, for the source `html`
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from witbuild.errors import InputError, RecipeError
from witbuild.io import store
from witbuild.sources import rows
from witbuild.sources.base import Source, files, readable
from witbuild.sources.candidates import Candidates, Place
from witbuild.web import html, urls
from witbuild.web.robots import token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stage import Task

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
PAGES = (".html", ".htm", ".xhtml")
TABLES = ("metadata.csv", "metadata.jsonl")
MAX_PAGE_BYTES = 32_000_000
_FILES = ("file_name", "image", "file")
_TEXTS = ("text", "caption")


@dataclass(frozen=True, kw_only=True)
class _Folder(Source):
    """Files under folders; a task takes those whose path's hash falls to it.

    Attributes:
        base_url: where the inputs' content is served; the URL of a file is its path below its input, after this.
    """

    kind: ClassVar[str]
    base_url: str

    def plan(self) -> Iterator[Task]:
        """Yield a task for each shard; every one looks at all names and reads its own files."""
        if urls.parse(self.base_url) is None:
            raise RecipeError(
                f"base_url: found {self.base_url!r}, expected the http or https URL at which the files are served"
            )
        shards = max(self.shards, 1)
        yield from self.numbered([(self.inputs, {"shard": shard, "shards": shards}) for shard in range(shards)])

    def harvest(self, task: Task) -> Candidates:
        """Read the task's files, in the order of their paths."""
        out = Candidates(self.kind, task.arguments.get("limit"))
        for root in task.sources["input"]:
            names = _below(root)
            for name, path in names.items():
                if not out.full and _slice(name, task.arguments["shards"]) == task.arguments["shard"]:
                    self.file(name, path, names, out)
        return out

    @abstractmethod
    def file(self, name: str, path: str, names: dict[str, str], out: Candidates) -> None:
        """Add what one file holds.

        Args:
            name: below its input.
            path: to open.
            names: all files of the input, name -> path.
            out: takes the pairs.
        """

    def url(self, name: str) -> str | None:
        """Return the URL of a file; None when it would be too long."""
        base = self.base_url if self.base_url.endswith("/") else self.base_url + "/"
        return urls.resolve(base, "./" + quote(name.encode("utf-8", "surrogateescape")))


class Folder(_Folder):
    """Images and the texts beside them."""

    kind: ClassVar[str] = "folder"

    def file(self, name: str, path: str, names: dict[str, str], out: Candidates) -> None:
        """Add an image with its text, or the rows of a metadata table."""
        if name.rpartition("/")[2] in TABLES:
            self._table(name, path, out)
        elif name.lower().endswith(IMAGES):
            text = names.get(name.rpartition(".")[0] + ".txt")
            if text:
                self._pair(name, store.read_bytes(text).decode("utf-8", "replace"), Place(readable(name)), out)
            elif not any(_sibling(name, table) in names for table in TABLES):
                out.drop("no_caption")

    def _table(self, name: str, path: str, out: Candidates) -> None:
        for number, row in rows.read(path, frozenset([*_FILES, *_TEXTS]), (), 0, 1):
            image = _text(row, _FILES)
            if image is None:
                out.drop("bad_row")
            else:
                self._pair(_sibling(name, image), _text(row, _TEXTS) or "", Place(readable(name), number), out)

    def _pair(self, name: str, text: str, place: Place, out: Candidates) -> None:
        url = self.url(name)
        if url is None:
            out.drop("bad_url")
        else:
            out.add(url, text, caption_source="folder", place=place)


@dataclass(frozen=True, kw_only=True)
class Html(_Folder):
    """HTML pages in folders, such as documentation.

    Attributes:
        user_agent: what we call ourselves; opt-outs that speak to this crawler by name are ours too.
    """

    kind: ClassVar[str] = "html"
    user_agent: str

    def file(self, name: str, path: str, names: dict[str, str], out: Candidates) -> None:
        """Add what a page says about its images."""
        if not name.lower().endswith(PAGES):
            return
        url = self.url(name)
        if url is None:
            out.drop("bad_page_url")
        elif store.size(path) > MAX_PAGE_BYTES:
            out.drop("page_too_large")
        else:
            try:
                page = html.read(store.read_bytes(path), agent=token(self.user_agent))
            except html.TooComplexError:
                out.drop("page_too_complex")
            else:
                out.page(page, url, Place(readable(name), 0, store.size(path)))


def _below(root: str) -> dict[str, str]:
    """Return the files of an input, name below it -> path, in the order of the names."""
    found = files(root)
    if not found:
        raise InputError(f"{root}: names no file")
    start = root.rstrip("/") + "/"
    return dict(
        sorted(
            (path.removeprefix(start) if path.startswith(start) else path.rpartition("/")[2], path) for path in found
        )
    )


def _slice(name: str, slices: int) -> int:
    return (
        int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
        % slices
    )


def _sibling(name: str, other: str) -> str:
    """Return a file's name beside another.

    Example:
        >>> _sibling("a/b.csv", "c.jpg"), _sibling("b.csv", "c.jpg")
        ('a/c.jpg', 'c.jpg')
    """
    return name[: name.rfind("/") + 1] + other


def _text(row: dict[str, Any] | None, names: tuple[str, ...]) -> str | None:
    found = next((row[name] for name in names if row.get(name)), None) if row else None
    return found if isinstance(found, str) else None
