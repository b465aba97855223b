"""The rules of `witbuild.text.wikitext` said again, slowly, with strings, regular expressions and lists."""

from __future__ import annotations

import re
from html.entities import name2codepoint

from witbuild.text.tags import BREAKING, DROPPED, INLINE

BREAK = "\v"
NOTHING = "\x0e"  # stands where something went, so that its two sides do not become markup
_TAG = re.compile(r"<(/?)([A-Za-z1-6]+)([^>]*)>")
_ENTITY = re.compile(r"&(?:#(\d{1,8})|#[xX]([0-9A-Fa-f]{1,8})|([A-Za-z0-9]{1,8}));")
_URL_END = r"\x00-\x20\x7f<>\"\[\]{}|"
_URL = rf"//(?:(?!'')[^{_URL_END}])*"
_BARE_URL = re.compile(rf"(?<![A-Za-z])(?:https?|ftp):{_URL}", re.IGNORECASE)
_BRACKETED_URL = re.compile(rf"\[(?:[A-Za-z]+:)?{_URL}")
_TARGET = re.compile(rf"[^|\[\]{{}}<>\n\v{NOTHING}]*")


def plain_text(wikitext: str, media: tuple[str, ...] = ("file", "image", "media", "category")) -> str:
    """Return the text of a page; only its words and line breaks are to be compared."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", wikitext)
    text = without_tags(text)
    text = without_templates(text)
    text = without_blocks(text, media)
    text = without_links(text)
    text = _BRACKETED_URL.sub(" ", text)
    text = _BARE_URL.sub(" ", text)
    text = re.sub(r"'{2,}", _apostrophes, text)
    text = re.sub(r"__[A-Z]+__", "", text)
    text = text.replace(NOTHING, "")
    text = re.sub(r"[\[\]{}|]", " ", text)
    return _ENTITY.sub(_character, text).replace(BREAK, "\n") + "\n"


def _apostrophes(run: re.Match[str]) -> str:
    return NOTHING + "'" * {4: 1}.get(len(run[0]), max(len(run[0]) - 5, 0))


def without_tags(text: str) -> str:
    out, place = [], 0
    while place < len(text):
        if text.startswith("<!--", place):
            end = text.find("-->", place + 4)
            place = len(text) if end < 0 else end + 3
            continue
        tag = _TAG.match(text, place)
        name = tag[2].lower() if tag else ""
        if not tag or name not in {*DROPPED, *BREAKING, *INLINE}:
            out.append(text[place])
            place += 1
            continue
        place = tag.end()
        inner, place = _enclosed(text, tag, name, place)
        out.append(_left_by(name, inner))
    return "".join(out)


def _enclosed(text: str, tag: re.Match[str], name: str, place: int) -> tuple[str, int]:
    """Return what a tag that swallows its content encloses, and where to go on."""
    swallows = name in DROPPED or name == "nowiki"
    if not swallows or tag[1] or tag[0].endswith("/>"):
        return "", place
    end = re.compile(rf"</{name}(?![A-Za-z1-6])[^>]*>", re.IGNORECASE).search(text, place)
    return (text[place : end.start()], end.end()) if end else ("", place)


def _left_by(name: str, inner: str) -> str:
    if name == "nowiki":
        return re.sub(r"[{}\[\]|<>\x00-\x1f]", " ", inner)
    if name == "ref":
        return " "
    return "" if name in INLINE else BREAK


def without_templates(text: str) -> str:
    """Drop what stands between braces that belong together, from the innermost to the outermost."""
    stack: list[list[str]] = [[]]
    for piece in re.findall(r"\{\{|\}\}|.", text, re.DOTALL):
        if piece == "{{":
            stack.append([])
        elif piece == "}}" and len(stack) > 1:
            stack.pop()
            stack[-1].append(BREAK)
        else:
            stack[-1].append(piece)
    return "{{".join("".join(pieces) for pieces in stack)


def without_blocks(text: str, media: tuple[str, ...]) -> str:
    """Drop tables, their debris, list marks and file links, whichever comes first."""
    out, place, fresh = [], 0, True
    while place < len(text):
        if fresh:
            marks = re.compile(r"[ \t*#:;]*").match(text, place)
            assert marks
            place = marks.end()
        if fresh and text.startswith("{|", place):
            place = _after_table(text, place)
            out.append(BREAK)
            fresh = False
        elif fresh and text.startswith("|", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
            fresh = False
        elif text.startswith("[[", place) and _is_media(text, place + 2, media):
            place = _after_link(text, place + 2)
            out.append(NOTHING)
            fresh = False
        else:
            size = 2 if text.startswith("[[", place) else 1
            out.append(text[place : place + size])
            fresh = text[place : place + 1] == "\n"
            place += size
    return "".join(out)


def _after_table(text: str, place: int) -> int:
    depth = 1
    for found in re.compile(r"\n(?:==|[ \t:]*(\{\||\|\}))").finditer(text, place):
        if found[0] == "\n==":
            return found.start()
        depth += 1 if found[1] == "{|" else -1
        if not depth:
            return found.end()
    return len(text)


def _is_media(text: str, place: int, media: tuple[str, ...]) -> bool:
    found = _TARGET.match(text, place)
    assert found
    before, colon, _ = found[0].partition(":")
    return bool(colon) and before.strip(" ").replace("_", " ").lower() in media


def without_links(text: str) -> str:
    out, place = [], 0
    while place < len(text):
        if text.startswith(("]]", "[["), place):
            place = place + 2 if text[place] == "]" else _after_start(text, place + 2)
            out.append(NOTHING)
        else:
            out.append(text[place])
            place += 1
    return "".join(out)


def _after_start(text: str, place: int) -> int:
    found = _TARGET.match(text, place)
    assert found
    before, colon, after = found[0].partition(":")
    if text.startswith("|", found.end()):
        return found.end() + 1
    interwiki = re.fullmatch(r"[a-z-]{2,12}", before) and colon and after and after[0] != " "
    if text.startswith("]", found.end()) and interwiki:
        return found.end()
    return place + found[0].startswith((":", "#"))


def _after_link(text: str, place: int) -> int:
    depth = 1
    for found in re.compile(r"\[\[|\]\]|\n(?=\n)").finditer(text, place):
        if found[0] == "\n":
            return found.start()
        depth += 1 if found[0] == "[[" else -1
        if not depth:
            return found.end()
    return len(text)


def _character(found: re.Match[str]) -> str:
    if found[3]:
        code = name2codepoint.get(found[3], 39 if found[3] == "apos" else -1)
        return chr(code) if code >= 0 else found[0]
    code = int(found[1]) if found[1] else int(found[2], 16)
    allowed = 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return chr(code) if allowed else " "
