"""Pages by arrays: the candidates, losses and order that the page's Image objects give."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soup import SOUP, USUAL
from tests.warcs import bodies
from witbuild.sources.candidates import Candidates, Place
from witbuild.sources.paged import Paged
from witbuild.web import paired, skim
from witbuild.web.page import Page

URL = "https://www.a.test/dir/page.html?q#f"
PLACE = Place("x.warc.gz", 7, 9)
REFERENCES = [
    "a.jpg", "/b.jpg", "../c d.jpg", "//cdn.test/e.jpg", "https://F.test:443/g", "?h&amp;i=1", "javascript:1", "DATA:x",
    "data:image/gif;base64,R0", "http://", "", " ", " j.jpg\n", "k&#46;jpg", "é.jpg", "http://ü.test/", "mailto:x",
    "\\x", "http://1.2.3.4/x", "x" * 5_000, "y" * 40_000, "http://u:p@a.test/", "\u00a0z.jpg", "%2e/a",
]  # fmt: skip
TEXTS = [
    "a red square", " a  b\n", "", "&amp;&lt;&nbsp;&copy=&hellip;", "é 日 😀", "\u202ex", "\ufffd", "x" * 2_001,
    "y " * 40_000, "a&#0;b",
]  # fmt: skip
SETS = ["s.jpg 1x, b.jpg 2x", "a.jpg 300w,b.jpg 900w", "é 2x", "c.jpg", "d (x) 1x", ",", "data:,x 9w", "a.jpg 2x"]
PIXELS = ["300", "0", "50%", "10px", "auto", " 7", "9999999999", "1.5", "&#49;", "", "-1"]
NAMES = {
    "src": REFERENCES, "data-src": REFERENCES, "data-lazy": REFERENCES, "srcset": SETS, "data-srcset": SETS,
    "alt": TEXTS, "title": TEXTS, "width": PIXELS, "height": PIXELS,
}  # fmt: skip


@st.composite
def image(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(sorted(NAMES)), max_size=6))
    values = [f'{name}="{draw(st.sampled_from(NAMES[name]))}"' for name in names]
    return f"<img {' '.join(values)}>"


AROUND = ["<a title='a link'>", "<a title=' '>", "</a>", "<figure>", "<figcaption>told</figcaption>", "</figure>"]
AROUND += [
    "<picture>",
    "<source srcset='p.webp 9w'>",
    "</picture>",
    "<base href=/base/>",
    "<base href='mailto:x'>",
    "<td>",
]
OTHERS = st.sampled_from([*AROUND, "<meta property=og:image content=o.jpg><meta property=og:title content=t>"])


def assert_same(body: bytes, url: str = URL) -> None:
    objects, arrays = Candidates("warc"), Paged("warc")
    objects.page(skim.read(body), url, PLACE)
    page = skim.skim(body)
    if isinstance(page, Page):
        arrays.page(page, url, PLACE)
    else:
        arrays.skimmed(page, url, PLACE)
    assert arrays.table().to_pylist() == objects.table().to_pylist()
    assert arrays.dropped == objects.dropped


@settings(max_examples=600)
@given(st.lists(image() | OTHERS, max_size=8).map("".join))
def test_images_of_any_kind_give_the_candidates_of_their_objects(text: str) -> None:
    assert_same(text.encode("utf-8", "replace"))


@settings(max_examples=200)
@given(st.lists(USUAL | SOUP | image(), max_size=25).map("".join), st.sampled_from([URL, "http://u:p@[::1]:81/x/"]))
def test_any_page_gives_the_candidates_of_its_objects(text: str, url: str) -> None:
    assert_same(text.encode("utf-8", "replace"), url)


@pytest.mark.parametrize("rows", [paired.MOST_ROWS, 30])
def test_a_page_of_many_images_is_paired_in_parts(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired._room, "rows", paired._room.rows[:rows])
    images = [f"<img src={n} alt='{'x' * (n % 900)} {n}'{' srcset=(' * (n % 50 == 0)}>" for n in range(2_000)]
    assert_same("".join(images).encode())


def test_usual_images_are_not_left_to_python() -> None:
    images = "<img src=/a.jpg alt='a &amp; b' data-src='//b.test/é.jpg' srcset='a 1x, b 2x' width=3 height=auto>" * 9
    page = skim.skim(f"<a title='a link'>{images}</a><figure>{images}</figure>".encode())
    assert not isinstance(page, Page)
    assert [len(found.rows) for found in page.pairs(URL) if isinstance(found, paired.Found)] == [9 * 3 * 2 + 9 * 3]


@pytest.mark.parametrize(
    "archive", ["warc/main-page.warc.gz", "warc/IAH-urls-wget.warc.gz", "whirlwind/whirlwind.warc.gz"]
)
def test_real_pages_give_the_candidates_of_their_objects(shared: Path, archive: str) -> None:
    for url, (kind, body) in bodies(shared / archive).items():
        if "html" in kind:
            assert_same(body, url)


DOCUMENTATION = [Path("/usr/share/gimp/2.0/help/en"), Path("/usr/share/doc/python-skimage-doc/html")]


@pytest.mark.parametrize("folder", DOCUMENTATION, ids=lambda folder: folder.parts[-2])
def test_real_documentation_gives_the_candidates_of_its_objects(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))[::10]
    if not pages:
        pytest.skip(f"{folder} is not there")
    for path in pages:
        assert_same(path.read_bytes())
