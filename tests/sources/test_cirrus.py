"""Search index dumps: two lines an article, whatever the second one holds."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import InputError
from witbuild.sources.cirrus import Article, read_articles

if TYPE_CHECKING:
    from pathlib import Path

ACTION = {"index": {"_type": "page", "_id": "12"}}
DOG: dict[str, Any] = {
    "title": "Dog",
    "namespace": 0,
    "text": "The dog is a pet. Café.",
    "redirect": [{"namespace": 0, "title": "Dogs"}, {"namespace": 4, "title": "Dog!"}, {"title": 7}, "x"],
    "wiki": "enwiki",
}


def dump(path: Path, *articles: Any) -> str:
    content = "".join(f"{json.dumps(ACTION)}\n{json.dumps(one)}\n" for one in articles)
    path.write_bytes(gzip.compress(content.encode()))
    return str(path)


def read(path: Path, *articles: Any) -> tuple[list[Article], dict[str, int]]:
    dropped: Counter[str] = Counter()
    return list(read_articles(dump(path, *articles), dropped)), dict(dropped)


def test_an_article_has_its_text_and_the_redirects_among_the_articles(tmp_path: Path) -> None:
    assert read(tmp_path / "x", DOG) == ([Article("Dog", ["Dogs"], "The dog is a pet. Café.".encode())], {})


@pytest.mark.parametrize(
    ("article", "reason"),
    [
        ({**DOG, "namespace": 14}, "other_namespace"),
        ({**DOG, "text": " \n"}, "empty_page"),
        ({**DOG, "text": None}, "malformed_page"),
        ({"text": "x"}, "malformed_page"),
        ([DOG], "malformed_page"),
    ],
)
def test_an_article_that_is_not_wanted_is_one_article_lost(tmp_path: Path, article: Any, reason: str) -> None:
    found, dropped = read(tmp_path / "x", article, DOG)
    assert ([one.title for one in found], dropped) == (["Dog"], {reason: 1})


@given(articles=st.lists(st.recursive(st.none() | st.text(max_size=9) | st.integers(), st.lists), max_size=9))
def test_any_json_is_an_article_or_a_counted_drop(
    tmp_path_factory: pytest.TempPathFactory, articles: list[Any]
) -> None:
    found, dropped = read(tmp_path_factory.mktemp("cirrus") / "x", *articles, DOG)
    assert len(found) + sum(dropped.values()) == len(articles) + 1


def test_a_line_that_is_nested_without_end_is_one_article_lost(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(f"{json.dumps(ACTION)}\n{'[' * 100_000}\n{json.dumps(ACTION)}\n{json.dumps(DOG)}\n")
    dropped: Counter[str] = Counter()
    assert [one.title for one in read_articles(str(path), dropped)] == ["Dog"]
    assert dropped == {"malformed_page": 1}


@pytest.mark.parametrize("content", [b"<mediawiki>\n", b"{}\n", b"\xff\n"])
def test_what_is_no_such_dump_is_an_error_that_names_file_and_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: line 1 is b.*, expected .*cirrussearch-content"):
        list(read_articles(str(path), Counter()))


def test_a_truncated_dump_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    dump(path, *[{**DOG, "title": str(number)} for number in range(99)])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"x\.json\.gz: compressed stream at byte 0: .*truncated"):
        list(read_articles(str(path), Counter()))
