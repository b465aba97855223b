"""Rules on where a pair comes from: URL, page, licence, opt-outs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from witbuild.stages.filter.rules import Mask

_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(?:licen[sc]es|publicdomain)/([a-z-]+)")
_SHORT = re.compile(r"(?:cc[ -])?(by(?:[ -](?:nc|nd|sa))*)(?:[ -][0-9.]+.*)?")
_PUBLIC_DOMAIN = {"zero": "cc0", "mark": "pd", "cc zero": "cc0", "cc-zero": "cc0", "pdm": "pd", "public domain": "pd"}


def url_scheme(table: pa.Table, wanted: list[str]) -> Mask:
    """The image's URL has one of these schemes."""
    return _found(table["url"], rf"(?i)^(?:{'|'.join(wanted)}):")


def url_extension(table: pa.Table, wanted: list[str]) -> Mask:
    """The path of the image's URL ends with one of these extensions."""
    return _found(table["url"], rf"(?i)^[^?#]*\.(?:{'|'.join(wanted)})(?:[?#]|$)")


def url_extension_not(table: pa.Table, unwanted: list[str]) -> Mask:
    """The path of the image's URL ends with none of these extensions."""
    return ~url_extension(table, unwanted)


def host(table: pa.Table, wanted: list[str]) -> Mask:
    """The image's host is one of these or below one."""
    names = "|".join(re.escape(name.lower()) for name in wanted)
    return _found(table["url"], rf"(?i)^[a-z]+://(?:[^/?#@]*@)?(?:[^/?#@:]*\.)?(?:{names})\.?(?::\d*)?(?:[/?#]|$)")


def host_not(table: pa.Table, unwanted: list[str]) -> Mask:
    """The image's host is none of these and below none."""
    return ~host(table, unwanted)


def page_matches(table: pa.Table, pattern: str) -> Mask:
    """The regular expression (RE2) is found in the URL of the page; a pair without a page fails."""
    return _found(table["page_url"], pattern)


def subreddit(table: pa.Table, wanted: list[str]) -> Mask:
    """The page is of one of these subreddits of reddit.com; a pair without a page fails."""
    names = "|".join(re.escape(name) for name in wanted)
    return _found(table["page_url"], rf"(?i)^https?://(?:[a-z]+\.)?reddit\.com/r/(?:{names})(?:[/?#]|$)")


def licence(table: pa.Table, wanted: list[str]) -> Mask:
    """The licence is one of these, such as cc0, pd, cc-by, cc-by-sa, in any version; no evidence fails."""
    codes = frozenset(licence_code(text) for text in wanted)
    return np.array(
        [text is not None and licence_code(text) in codes for text in table["licence"].to_pylist()], np.bool_
    )


def licence_code(text: str) -> str:
    """Return the short name of a licence, without its version; what is not known stays, in lower case.

    Example:
        >>> [licence_code(text) for text in ("https://creativecommons.org/licenses/by-SA/4.0/", "CC BY-NC 2.0", "BY")]
        ['cc-by-sa', 'cc-by-nc', 'cc-by']
        >>> [licence_code(text) for text in ("CC0 1.0", "//creativecommons.org/publicdomain/mark/1.0", "GFDL")]
        ['cc0', 'pd', 'gfdl']
    """
    text = text.strip().lower()
    address = _CREATIVE_COMMONS.search(text)
    text = address[1] if address else text
    if text.startswith("cc0"):
        return "cc0"
    short = _SHORT.fullmatch(text)
    return f"cc-{short[1].replace(' ', '-')}" if short else _PUBLIC_DOMAIN.get(text, text)


def no_opt_out(table: pa.Table, refused: list[str]) -> Mask:
    """None of these signals was found on the page: noai, noimageai, noindex, noimageindex, tdm-reservation, ..."""
    names = "|".join(re.escape(name) for name in refused)
    return ~_found(table["opt_out"], rf"(?i)(?:^|,)\s*(?:{names})\s*(?:,|$)")


def _found(column: pa.ChunkedArray, pattern: str) -> Mask:
    return np.asarray(pc.fill_null(pc.match_substring_regex(column, pattern), False), np.bool_)  # noqa: FBT003
