"""What the demo's web is made of: pages that show pictures, and what each address answers.

Page ── Shown (an <img>, a figure or an og:image) ──> URL ──> Answer (a picture, or something gone wrong)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from witbuild.demo.grammar import Scene

GALLERY, SHAPES = "gallery.witbuild.test", "shapes.witbuild.test"
BLOG, ARCHIVE = "blog.picturebook.test", "archive.picturebook.test"
IMAGES, MEDIA = "images.witbuild.test", "media.picturebook.test"
SLOW, REFUSED = "slow.witbuild.test", "closed.picturebook.test"
UNKNOWN = f"{'x' * 64}.witbuild.test"
"""No name server can hold a label of 64 characters (RFC 1035, section 2.3.4), so none is asked."""
PAGE_HOSTS = (GALLERY, SHAPES, BLOG, ARCHIVE)
IMAGE_HOST = {GALLERY: GALLERY, SHAPES: IMAGES, BLOG: MEDIA, ARCHIVE: MEDIA}
"""Host of a page -> host of its images."""
FOLDER = {GALLERY: "pictures", IMAGES: "i", MEDIA: "media", SLOW: "i", REFUSED: "i", UNKNOWN: "i"}
"""Host of images -> the folder that they lie in."""
SERVED = (GALLERY, SHAPES, BLOG, ARCHIVE, IMAGES, MEDIA, SLOW)
SEEDS = (f"http://{GALLERY}/", f"http://{BLOG}/")
DISALLOWED = "private"
"""Folder of every host that robots.txt forbids."""

Fault = Literal["", "slow", "truncated", "html", "empty", "bomb"]
Place = Literal["alt", "title", "figcaption", "og", "twice", "none", "data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A scene in a light, as pixels of a size, as bytes of a quality."""

    scene: Scene
    light: int
    side: int = 112
    quality: int = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an image's address answers: a status, perhaps a picture, perhaps with something wrong."""

    picture: Picture | None = None
    status: int = 200
    fault: Fault = ""
    opt_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An image on a page; `place` is where its caption stands: `twice` is alt and a reworded figcaption."""

    url: str
    caption: str
    place: Place = "alt"
    width: int | None = None


@dataclass(slots=True, kw_only=True)
class Page:
    """A page of a host."""

    host: str
    path: str
    shown: list[Shown] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    robots: str = ""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}{self.path}"
