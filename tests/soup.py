"""Pages of tags in any order, for tests of what reads them."""

from __future__ import annotations

from hypothesis import strategies as st

BLANKS = st.sampled_from(["", " ", "\n", "\t", "\f", "/", " / ", "\r\n"])
NAMES = st.sampled_from(
    ["src", "ALT", "title", "width", "height", "srcset", "data-src", "data-srcset", "data-lazy-src", "class", "x", "=a"]
)
VALUES = st.sampled_from(
    ["a.jpg", "two words", "&amp;", "&copy=1", "&copy", "&notit;", "&#0;&#x80;", "é東", "30", "50%", "b 2x, c 1x",
     "<p>", ">", "'", "`", "=", "a\r\nb", "", " ", "x\0y", "a/"]
)  # fmt: skip
QUOTES = st.sampled_from(['="{}"', "='{}'", "={}", " = {}", "", '="{}', "= '{}'"])


@st.composite
def attributes(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(BLANKS, NAMES, QUOTES, VALUES), max_size=3))
    return "".join((blank or " ") + name + quote.format(value) for blank, name, quote, value in parts)


@st.composite
def image_tag(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["img", "IMG", "image", "img/", "imgx"]))
    return f"<{name}{draw(attributes())}{draw(BLANKS)}>"


PLAIN = [
    "div",
    "p",
    "span",
    "b",
    "ul",
    "li",
    "h2",
    "section",
    "form",
    "button",
    "object",
    "select",
    "option",
    "dl",
    "dd",
]
OUTER = [
    "a",
    "A title=one",
    "a title='two'",
    "figure",
    "figcaption",
    "picture",
    "source srcset='s.webp 9w'",
    "noscript",
]
TABLES = ["table", "tr", "td", "th", "caption", "tbody", "col"]
RARE = ["template", "svg", "svg/", "title", "desc", "foreignObject", "math", "mi", "g", "style", "textarea", "iframe"]
METAS = [
    "<html lang=de>", "<html lang=en_US xml:lang=fr>", "<base href=/b/>", "<meta name=robots content='noai, noindex'>",
    "<meta property='og:image' content=o.jpg>", "<meta property=' OG:title' content='the title'>", "<meta content=x>",
    "<meta name=viewport content=x>", "<meta name=Content-Usage content='train-ai=n'>",
    "<meta name=MyBot content=noimageai>", "<meta name=' mybot' content=noml>", "<meta name=mytest content=none>",
    "<link rel='x LICENSE' href=/l>", "<a rel=license href=' /m '>",
    "<a href=https://creativecommons.org/licenses/by/2.0/>", "<area rel=license href=/n>",
    "<script type='application/LD+json'>{\"@type\":\"ImageObject\",\"contentUrl\":\"j\",\"name\":\"n\"}</script>",
]  # fmt: skip
ODD = [
    "<!-- <img src=1> -->", "<!-->", "<!--->", "<!--x--!>", "<!-- a > b -- >", "-->", "<!doctype html>",
    "<![CDATA[<img>]]>",
    "<?php <img>", "</ x>", "</>", "<", "<3", "< img src=2>", "&lt;img&gt;", "<script>", "</script>",
    "</script x='>'>",
    "<!--", "<script><!--<script></script>--></script>", "text", " ", "\0", "<style><!--</style>", "</p>", "</br>",
    "<img src=z alt='unclosed", "<title><img src=t></title>", "<textarea><img></textareas></textarea>",
]  # fmt: skip


def tags(names: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([f"<{name}>" for name in names] + [f"</{name.split()[0].rstrip('/')}>" for name in names])


USUAL = st.one_of(image_tag(), tags(PLAIN), tags(OUTER), st.sampled_from(METAS), st.sampled_from(["text", " ", "é"]))
SOUP = st.one_of(USUAL, tags(TABLES), tags(RARE), st.sampled_from(ODD))
