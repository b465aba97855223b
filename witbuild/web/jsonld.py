"""Images in a page's JSON-LD: schema.org `ImageObject`s with their captions and licences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from witbuild.web.page import Image, pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 1_000_000
MAX_NODES = 20_000
_TEXTS = ("caption", "description", "alternateName", "name")


def images(script: str) -> tuple[list[Image], str | None]:
    """Return the images that a script of type application/ld+json captions, and the first licence in it.

    A script that is no JSON, too deep or longer than a million characters holds none.

    Example:
        >>> images('{"@type": "ImageObject", "contentUrl": "/a.jpg", "caption": "a red square"}')[0][0].texts
        (('jsonld', 'a red square'),)
    """
    if len(script) > MAX_CHARACTERS:
        return [], None
    try:
        nodes = list(_objects(json.loads(script)))
    except (ValueError, RecursionError):
        return [], None
    licences = (_text(node.get("license")) for node in nodes)
    return [image for node in nodes if (image := _image(node))], next((one for one in licences if one), None)


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in document order, at most MAX_NODES values deep or wide."""
    waiting = [root]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value[:MAX_NODES]))


def _image(node: dict[str, Any]) -> Image | None:
    kinds = node.get("@type")
    if "ImageObject" not in (kinds if isinstance(kinds, list) else [kinds]):
        return None
    references = tuple(dict.fromkeys(one for name in ("contentUrl", "url") if (one := _text(node.get(name)))))
    text = next((one for name in _TEXTS if (one := _text(node.get(name)))), None)
    if not references or not text:
        return None
    return Image(
        references=references[:1],
        texts=(("jsonld", text),),
        width=_pixels(node.get("width")),
        height=_pixels(node.get("height")),
        licence=_text(node.get("license")),
    )


def _text(value: Any) -> str | None:
    """Return a value's text: itself, its first item, or what `@value`, `@id` or `url` of an object hold."""
    for _ in range(3):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = value.get("@value") or value.get("@id") or value.get("url") or value.get("value")
    return value if isinstance(value, str) and value.strip() else None


def _pixels(value: Any) -> int | None:
    if isinstance(value, int | float):
        return pixels(str(int(value))) if 0 < value < 1e9 else None
    return pixels(_text(value))
