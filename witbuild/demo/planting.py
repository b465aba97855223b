"""Every kind of fault that is planted, how many of them, and where the pipeline is to find it.

A kind's name is `stage.reason`: what the stage must count for each row that is planted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from witbuild.demo import web
from witbuild.demo.grammar import reword
from witbuild.demo.likeness import same_hash
from witbuild.demo.web import Answer, Page, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from witbuild.demo.world import Builder

NONSENSE = ("zwixl brmft", "qlorp vnask drimf", "grezt ploxm", "vrumk xylth snorb")
"""Captions without a word of any language."""
PER_RESERVED_PAGE = 3
_OTHER = {web.GALLERY: web.SHAPES, web.SHAPES: web.GALLERY, web.BLOG: web.ARCHIVE, web.ARCHIVE: web.BLOG}
_ABROAD = {web.GALLERY: web.BLOG, web.SHAPES: web.ARCHIVE, web.BLOG: web.GALLERY, web.ARCHIVE: web.SHAPES}
_COPIES = ((96, 75), (144, 70), (112, 60), (128, 80), (112, 92), (160, 75), (128, 95), (112, 84))
"""Sides and qualities of near copies, tried in a drawn order; the original's are in `web.Picture`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: `stage.reason`.
        share: of the ordinary pictures.
        plant: plants one and returns the rows that are to be dropped for it.
        least: of them, however small the web.
        most: of them, however large.
    """

    name: str
    share: float
    plant: Callable[[Builder], int]
    least: int = 2
    most: int = 1_000_000

    def count(self, size: int) -> int:
        """Return how many there are in a world of a size."""
        return min(max(round(self.share * size), self.least), self.most)


def _disallowed_page(builder: Builder) -> int:
    host, picture = builder.page_host(), builder.draw()
    url = builder.address(web.IMAGE_HOST[host], Answer(picture=picture))
    path = f"/{web.DISALLOWED}/{url.rpartition('/')[2]}.html"
    shown = web.Shown(url=url, caption=picture.scene.caption)
    builder.page(host, Page(host=host, path=path, shown=[shown]))
    return 1


def _missing_page(builder: Builder) -> int:
    builder.link(builder.page_host(), f"/lost/{builder.draw().light}.html")
    return 1


def _no_page(builder: Builder) -> int:
    host, path = builder.page_host(), f"/data/{builder.draw().light}"
    builder.page(host, Page(host=host, path=path, content_type="application/json"))
    return 1


def _reserved_page(builder: Builder) -> int:
    """Plant a page that says no to training on its images."""
    host, picture = builder.page_host(), builder.draw()
    shown = [
        web.Shown(url=builder.address(web.IMAGE_HOST[host], Answer(picture=picture)), caption=picture.scene.caption)
        for _ in range(PER_RESERVED_PAGE)
    ]
    builder.page(host, Page(host=host, path=f"/reserved/{picture.light}.html", shown=shown, robots="noimageai"))
    return PER_RESERVED_PAGE


def _captioned(caption: str = "", *, place: Place = "alt", width: int | None = None) -> Callable[[Builder], int]:
    """Return what plants a good picture whose caption or place is no good; `{}` stands for colour and shape."""

    def plant(builder: Builder) -> int:
        host, picture = builder.page_host(), builder.draw()
        url = builder.address(web.IMAGE_HOST[host], Answer(picture=picture))
        thing = picture.scene.things[0]
        text = caption.format(f"{thing.colour} {thing.shape}") if caption else picture.scene.caption
        builder.put(host, url, text, place, width)
        return 1

    return plant


def _nonsense(builder: Builder) -> int:
    return _captioned(builder.dice.pick(NONSENSE))(builder)


def _same_pair(where: dict[str, str]) -> Callable[[Builder], int]:
    """Return what plants a pair on two pages, the other one at a host of the same domain or of another."""

    def plant(builder: Builder) -> int:
        host, shown = builder.show(builder.draw())
        builder.put(where[host], shown.url, shown.caption)
        return 1

    return plant


def _two_captions(builder: Builder) -> int:
    """Plant an image with an alt text and a figcaption that says the same in other words."""
    return _captioned(place="twice")(builder)


def _two_spellings(builder: Builder) -> int:
    """Plant an address that is written in two ways."""
    host, shown = builder.show(builder.draw())
    builder.put(host, shown.url.replace(".jpg", "%2Ejpg"), shown.caption)
    return 1


def _answering(answer: Answer, *, side: int = 112, host: str = "", folder: str = "") -> Callable[[Builder], int]:
    """Return what plants a pair whose image cannot be had or may not be taken."""

    def plant(builder: Builder) -> int:
        page, picture = builder.page_host(), replace(builder.draw(), side=side)
        url = builder.address(host or web.IMAGE_HOST[page], replace(answer, picture=picture), folder)
        builder.put(page, url, picture.scene.caption)
        return 1

    return plant


def _copy(builder: Builder) -> int:
    """Plant the same bytes at a second address."""
    host, shown = builder.show(builder.draw())
    other = _ABROAD[host]
    builder.put(other, builder.address(web.IMAGE_HOST[other], builder.world.answers[shown.url]), shown.caption)
    return 1


def _near_copy(builder: Builder) -> int:
    """Plant the same picture at another size and quality, under a caption of which a word is changed."""
    picture = builder.draw()
    builder.show(picture)
    host, sizes = builder.page_host(), builder.dice.shuffle(_COPIES)
    copy = same_hash(picture, sizes) if builder.looks else replace(picture, side=sizes[0][0], quality=sizes[0][1])
    url = builder.address(web.IMAGE_HOST[host], Answer(picture=copy))
    builder.put(host, url, reword(picture.scene.caption))
    return 1


KINDS = (
    Kind("harvest.robots", 0.004, _disallowed_page),
    Kind("harvest.http_404", 0.003, _missing_page),
    Kind("harvest.not_html", 0.001, _no_page),
    Kind("harvest.no_caption", 0.03, _captioned(place="none")),
    Kind("harvest.data_url", 0.004, _captioned(place="data")),
    Kind("harvest.same_key", 0.01, _same_pair(_OTHER)),
    Kind("match.no_query", 0.02, _nonsense),
    Kind("filter.caption_not_filename", 0.01, _captioned("{}.jpg")),
    Kind("filter.min_words", 0.01, _captioned("{}")),
    Kind("filter.min_side", 0.01, _captioned(width=24)),
    Kind("filter.no_opt_out", 0.003, _reserved_page),
    Kind("dedup.duplicate_url", 0.008, _same_pair(_ABROAD)),
    Kind("dedup.duplicate_url", 0.008, _two_captions),
    Kind("dedup.duplicate_url", 0.004, _two_spellings),
    Kind("fetch.http_404", 0.008, _answering(Answer(status=404))),
    Kind("fetch.http_410", 0.004, _answering(Answer(status=410))),
    Kind("fetch.refused", 0.002, _answering(Answer(), host=web.REFUSED), most=24),
    Kind("fetch.dns", 0.002, _answering(Answer(), host=web.UNKNOWN), most=24),
    Kind("fetch.timeout", 0.001, _answering(Answer(fault="slow"), host=web.SLOW), least=0, most=4),
    Kind("fetch.image_truncated", 0.004, _answering(Answer(fault="truncated"))),
    Kind("fetch.not_an_image", 0.003, _answering(Answer(fault="html"))),
    Kind("fetch.not_an_image", 0.002, _answering(Answer(fault="empty"))),
    Kind("fetch.image_too_large", 0.001, _answering(Answer(fault="bomb"))),
    Kind("fetch.image_too_small", 0.006, _answering(Answer(), side=24)),
    Kind("fetch.robots", 0.006, _answering(Answer(), folder=web.DISALLOWED)),
    Kind("fetch.opt_out_header", 0.006, _answering(Answer(opt_out="noai, noimageai"))),
    Kind("dedup.duplicate_image", 0.012, _copy),
    Kind("dedup.duplicate_image", 0.02, _near_copy),
)
"""Kinds of one name add up. A host that fails 32 times in a row is given up, so those that fail have fewer; and
each picture that never comes costs a timeout, so a tiny web has none."""
