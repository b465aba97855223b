"""The planted truth: a web that is a pure function of a seed and a size, and what is wrong with it, counted.

What is planted is on a background of the tail, of which there is less than a query may keep: balancing takes from the
head alone, so that each planted fault must be found where the pipeline looks for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from witbuild.demo import web
from witbuild.demo.dice import Dice
from witbuild.demo.grammar import crawled_scene, reword
from witbuild.demo.likeness import told_apart
from witbuild.demo.vocabulary import TAIL_BACKGROUNDS
from witbuild.demo.web import Answer, Page, Picture, Place, Shown

PER_PAGE = 24
TAIL_SHARE = 0.12
"""Of ordinary pictures, on a rare background."""
_PLACES: tuple[Place, ...] = ("alt", "title", "figcaption", "og")


@dataclass(slots=True)
class World:
    """A small web.

    Attributes:
        seed: of every draw.
        size: ordinary pictures.
        pages: (host, path) -> page.
        answers: URL of an image -> what it answers.
        planted: `stage.reason` -> rows that the stage is to drop for that reason.
        pairs: that can be found on its pages, each once.
        limit: pairs that a query may keep: just enough that no planted pair is balanced away.
    """

    seed: int
    size: int
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    planted: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    limit: int = 1


def build(seed: int, size: int, *, looks: bool = True) -> World:
    """Return the world of a seed and a size; without `looks`, pictures are not told apart: good for counting only.

    Example:
        >>> build(0, 60).planted["fetch.http_410"]
        2
    """
    from witbuild.demo.planting import KINDS

    builder = Builder(World(seed, size), looks=looks, planted=sum(kind.count(size) for kind in KINDS))
    for _ in range(size):
        builder.show(builder.draw())
    for kind in KINDS:
        for _ in range(kind.count(size)):
            builder.world.planted[kind.name] += kind.plant(builder)
    builder.write_pages()
    builder.world.pairs = _pairs(builder.world)
    builder.world.limit = max(builder.rare.values())
    return builder.world


class Builder:
    """Puts pictures on pages."""

    def __init__(self, world: World, *, planted: int, looks: bool) -> None:
        self.world = world
        self.looks = looks
        self.dice = Dice(world.seed, "pages")
        self.rare: Counter[str] = Counter(dict.fromkeys(TAIL_BACKGROUNDS, 1))
        self._shown: dict[str, list[Shown]] = {host: [] for host in web.PAGE_HOSTS}
        self._linked: dict[str, list[str]] = {host: [] for host in web.PAGE_HOSTS}
        pictures = _pictures(world.seed, world.size, planted)
        self._pictures = iter(told_apart(pictures) if looks else pictures)
        self._numbers = iter(range(1, 1_000_000_000))

    def draw(self) -> Picture:
        """Return the next picture, unlike any other; those of the tail come last."""
        return next(self._pictures)

    def page_host(self) -> str:
        """Draw a host of pages."""
        return self.dice.pick(web.PAGE_HOSTS)

    def address(self, host: str, answer: Answer, folder: str = "") -> str:
        """Return a new address at a host of images, that answers so."""
        url = f"http://{host}/{folder or web.FOLDER[host]}/{next(self._numbers):06d}.jpg"
        self.world.answers[url] = answer
        return url

    def show(self, picture: Picture) -> tuple[str, Shown]:
        """Put a picture on some page, as pictures mostly are; return the page's host and what it shows."""
        host = self.page_host()
        url = self.address(web.IMAGE_HOST[host], Answer(picture=picture))
        return host, self.put(host, url, picture.scene.caption, self.dice.pick(_PLACES, (0.7, 0.1, 0.12, 0.08)))

    def put(self, host: str, url: str, caption: str, place: Place = "alt", width: int | None = None) -> Shown:
        """Put an image on a page of a host."""
        shown = Shown(url=url, caption=caption, place=place, width=width)
        self._shown[host].append(shown)
        self.rare.update(self.rare.keys() & set(caption.split()))
        return shown

    def page(self, host: str, page: Page) -> None:
        """Add a page of its own, and link to it."""
        self.world.pages[host, page.path] = page
        self.rare.update(word for one in page.shown for word in self.rare.keys() & set(one.caption.split()))
        self.link(host, page.path)

    def link(self, host: str, target: str) -> None:
        """Link from a host's first page."""
        self._linked[host].append(target)

    def write_pages(self) -> None:
        """Spread what is shown over pages, in a drawn order."""
        for host, shown in self._shown.items():
            order = iter([shown[place] for place in self.dice.shuffle(range(len(shown)))])
            for number in range(-(-len(shown) // PER_PAGE)):
                path = f"/rooms/{number + 1}.html"
                self.world.pages[host, path] = Page(host=host, path=path, shown=list(islice(order, PER_PAGE)))
                self.link(host, path)
            self.world.pages[host, "/"] = Page(host=host, path="/", links=self._linked[host])
        self.world.pages[web.GALLERY, "/"].links.append(f"http://{web.SHAPES}/")


def _pictures(seed: int, ordinary: int, planted: int) -> list[Picture]:
    """Draw the scenes of a world: ordinary ones, some of them on a rare background, then those to plant."""
    found = []
    for number in range(ordinary + planted):
        dice = Dice(seed, "scene", number)
        tail = dice.unit() < TAIL_SHARE or number >= ordinary
        found.append(Picture(scene=crawled_scene(seed, dice, tail=tail), light=number))
    return found


def _pairs(world: World) -> int:
    """Count the pairs of address and caption on pages that a robot may read; what is in two domains counts twice."""
    found: set[tuple[str, str, str]] = set()
    for (host, path), page in world.pages.items():
        if path.startswith(f"/{web.DISALLOWED}/"):
            continue
        domain = host.partition(".")[2]
        for one in page.shown:
            captions = {"twice": (one.caption, reword(one.caption)), "none": (), "data": ()}
            found |= {(domain, one.url, caption) for caption in captions.get(one.place, (one.caption,))}
    return len(found)
