"""The language of a caption, by Compact Language Detector 2 (Sites 2013), whose tables ship in the wheel of pycld2.

Chosen on 21,594 translated strings of two to twenty words and on 3,000 cuts of three to six words from the Brown
corpus; docs/match.md has the figures. It is what LAION-400M was filtered with, it is deterministic, and 240,000
captions a CPU second pass through it. On two or three words it guesses; no detector does much better there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pycld2

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDETERMINED: Final = "und"
"""BCP 47's tag for a language that is not known."""

_RENAMED = {"iw": "he", "jw": "jv", "un": UNDETERMINED, "xxx": UNDETERMINED}


def languages(captions: Iterable[str], *, guess: bool = True) -> list[str]:
    """Return the BCP 47 tag of each caption's language, `und` where there is nothing to go by.

    Args:
        captions: any.
        guess: name the likeliest language where the detector is not sure; otherwise `und`.

    Example:
        >>> languages(["a photo of a dog in the snow", "ein Hund liegt vor dem Haus", "собака на снегу", "12 30"])
        ['en', 'de', 'ru', 'und']
    """
    return [language(caption, guess=guess) for caption in captions]


def language(caption: str, *, guess: bool = True) -> str:
    """Return the BCP 47 tag of a caption's language, or `und`."""
    try:
        _, _, guesses = pycld2.detect(_readable(caption), bestEffort=guess)
    except pycld2.error:
        return UNDETERMINED
    code = guesses[0][1]
    return UNDETERMINED if code.startswith("xx-") else _RENAMED.get(code, code)


def is_one_of(tag: str, wanted: Iterable[str]) -> bool:
    """Say whether a tag is one of some languages, or a dialect of one (RFC 4647, section 3.3.1, basic filtering).

    Example:
        >>> is_one_of("en-GB", ["en"]), is_one_of("en", ["en-GB"]), is_one_of("enm", ["en"])
        (True, False, False)
    """
    tag = tag.lower()
    return any(tag == item.lower() or tag.startswith(f"{item.lower()}-") for item in wanted)


def _readable(caption: str) -> bytes:
    """Return UTF-8 that the detector takes: it refuses control characters and noncharacters."""
    if not caption.isprintable():
        caption = "".join(char if char.isprintable() else " " for char in caption)
    return caption.encode("utf-8", "replace")
