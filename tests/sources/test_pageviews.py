"""Page view files: both formats, other wikis, lines that are none."""

from __future__ import annotations

import gzip
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from witbuild.sources.pageviews import Access, article, namespace_names, read_views

if TYPE_CHECKING:
    from pathlib import Path

HOURLY = b"""aa Main_Page 4 0
en Dog 50 0
en Ice_cream 7 0
en.m Dog 3 0
en.m.d Dog 9 0
en.d Dog 9 0
en_x Dog 9 0
eng Dog 9 0
en Broken line 3 0
en Worse x 0
en Short
"" Dog 9 0
"""
DAILY = b"""en.wikipedia Dog 4269567 desktop 20 A5B15
en.wikipedia Dog 4269567 mobile-web 30 A30
en.wikipedia Dog null mobile-app 1 A1
en.wikipedia Cat desktop 2 A2
en.wikipedia Cat 6678 tv 2 A2
en.wikipedia Cat 6678 desktop two A2
en.wiktionary Dog 1 desktop 20 A20
"""


def summed(path: Path, content: bytes, access: list[Access]) -> tuple[Counter[bytes], Counter[str]]:
    path.write_bytes(gzip.compress(content))
    views: Counter[bytes] = Counter()
    dropped: Counter[str] = Counter()
    for line in read_views(str(path), "en.wikipedia", access, dropped):
        views[line.title] += line.views
    return views, dropped


@pytest.mark.parametrize(
    ("access", "views"),
    [
        (["desktop"], {b"Dog": 50, b"Ice_cream": 7}),
        (["mobile"], {b"Dog": 3}),
        (["desktop", "mobile", "app"], {b"Dog": 53, b"Ice_cream": 7}),
    ],
)
def test_hourly_files(tmp_path: Path, access: list[Access], views: dict[bytes, int]) -> None:
    assert summed(tmp_path / "pageviews-20240101-000000.gz", HOURLY, access) == (views, {"malformed_line": 3})


@pytest.mark.parametrize(
    ("access", "views"),
    [
        (["desktop"], {b"Dog": 20, b"Cat": 2}),
        (["mobile", "app"], {b"Dog": 31}),
    ],
)
def test_daily_and_monthly_files(tmp_path: Path, access: list[Access], views: dict[bytes, int]) -> None:
    assert summed(tmp_path / "pageviews-202401-user.gz", DAILY, access) == (views, {"malformed_line": 2})


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (b"Star_Wars:_Episode_IV", ("Star Wars: Episode IV", "")),
        (b"iPhone", ("IPhone", "")),
        (b"%E6%9D%B1%E4%BA%AC", ("東京", "")),
        (b"Spezial:Suche", ("", "other_namespace")),
        (b"user_TALK:Dog", ("", "other_namespace")),
        (b"%FF%FE", ("", "no_title")),
        (b"A[b", ("", "no_title")),
        (b"_", ("", "no_title")),
        (b"Main_Page", ("", "main_page")),
    ],
)
def test_titles(title: bytes, expected: tuple[str, str]) -> None:
    assert article(title, namespace_names(["Spezial"])) == expected
