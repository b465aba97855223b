"""The demo's pages as HTML, each host in a style of its own.

host       addresses of its images                  reached by
gallery    relative to the host (`/pictures/1.jpg`)    seed
shapes     protocol-relative (`//images...`)           a link from gallery
blog       relative to a `<base href>`                 seed
archive    lazy: a data: URL until it is scrolled to   the sitemap of blog
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from witbuild.demo import web
from witbuild.demo.grammar import reword

if TYPE_CHECKING:
    from witbuild.demo.web import Page, Shown
    from witbuild.demo.world import World

_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_BASE = f"http://{web.MEDIA}/{web.FOLDER[web.MEDIA]}/"
_TITLES = {web.GALLERY: "The gallery", web.SHAPES: "Shapes", web.BLOG: "A picture a day", web.ARCHIVE: "The archive"}


def render(page: Page) -> str:
    """Return a page as HTML.

    Example:
        >>> from witbuild.demo.web import GALLERY, Page, Shown
        >>> shown = Shown(url=f"http://{GALLERY}/pictures/1.jpg", caption="a red ring")
        >>> '<img src="/pictures/1.jpg" alt="a red ring">' in render(Page(host=GALLERY, path="/", shown=[shown]))
        True
    """
    head = [f"<title>{_TITLES[page.host]}</title>"]
    if page.host == web.BLOG:
        head.append(f'<base href="{_BASE}">')
    if page.robots:
        head.append(f'<meta name="robots" content="{escape(page.robots)}">')
    head += [_og(page, one) for one in page.shown if one.place == "og"]
    body = [f"<h1>{_TITLES[page.host]}</h1>", *(_image(page, one) for one in page.shown if one.place != "og")]
    body += [f'<p><a href="{escape(_link(page, target))}">{escape(target)}</a></p>' for target in page.links]
    return f"<!doctype html>\n<html lang=en><head>{_lines(head)}</head>\n<body>{_lines(body)}</body></html>\n"


def _lines(items: list[str]) -> str:
    return "\n".join(items)


def _link(page: Page, target: str) -> str:
    """Return a link as written; where there is a base, it must name the page's own host."""
    return f"//{page.host}{target}" if page.host == web.BLOG and target.startswith("/") else target


def _og(page: Page, one: Shown) -> str:
    return (
        f'<meta property="og:image" content="{escape(_reference(page, one.url))}">'
        f'<meta property="og:image:alt" content="{escape(one.caption)}">'
    )


def _image(page: Page, one: Shown) -> str:
    if one.place in ("figcaption", "twice"):
        alt = one.caption if one.place == "twice" else ""
        said = reword(one.caption) if one.place == "twice" else one.caption
        return f"<figure>{_tag(page, one, alt=alt)}<figcaption>{escape(said)}</figcaption></figure>"
    if one.place == "title":
        return _tag(page, one, title=one.caption)
    return _tag(page, one, alt="" if one.place == "none" else one.caption)


def _tag(page: Page, one: Shown, *, alt: str = "", title: str = "") -> str:
    reference = escape(_reference(page, one.url))
    source = f'src="{reference}"'
    if one.place == "data":
        source = f'src="{_PIXEL}"'
    elif page.host == web.ARCHIVE:
        source = f'src="{_PIXEL}" data-src="{reference}" loading="lazy"'
    size = f' width="{one.width}" height="{one.width}"' if one.width else ""
    titled = f' title="{escape(title)}"' if title else ""
    return f'<img {source} alt="{escape(alt)}"{titled}{size}>'


def _reference(page: Page, url: str) -> str:
    """Return an image's address in the style of the page's host."""
    if page.host == web.GALLERY:
        return url.removeprefix(f"http://{page.host}")
    if page.host == web.SHAPES:
        return url.removeprefix("http:")
    return url.removeprefix(_BASE) if page.host == web.BLOG else url


def robots_txt(host: str) -> str:
    """Return a host's robots.txt."""
    rules = f"User-agent: *\nDisallow: /{web.DISALLOWED}/\n"
    return f"{rules}\nSitemap: http://{host}/sitemap.xml\n" if host == web.BLOG else rules


def sitemap(world: World) -> str:
    """Return the sitemap of the blog, which names the first page of the archive as well, where no link leads."""
    urls = [f"http://{web.ARCHIVE}/", *(page.url for (host, _), page in world.pages.items() if host == web.BLOG)]
    listed = "".join(f"<url><loc>{escape(url)}</loc></url>" for url in urls if f"/{web.DISALLOWED}/" not in url)
    return f'<?xml version="1.0"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>\n'
