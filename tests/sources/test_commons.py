"""Wikimedia Commons: what a wiki answers, how it says no, and how it is left alone."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api_server import ApiServer, FakeWiki, File, Said
from tests.sources.listed import listed
from witbuild.errors import InputError, PolicyError, RecipeError, RetryLaterError
from witbuild.sources.api import TRIAL_QUESTIONS
from witbuild.sources.candidates import Candidates
from witbuild.sources.commons import Commons
from witbuild.stage import Task
from witbuild.stages.harvest import Harvest
from witbuild.web import asking
from witbuild.web.asking import Asker, RefusedError

AGENT = "witbuild-test/0 (+http://contact.test/)"
API = "http://wiki.test/api.php"
LAGGED = Said(
    {"error": {"code": "maxlag", "info": "Waiting for x: 7 seconds lagged.", "lag": 7}}, headers={"Retry-After": "1"}
)


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.web.turnstile.places_folder", lambda: tmp_path / "places")
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.01)


def stage(server: ApiServer, **changes: Any) -> Harvest:
    own = {"user_agent": AGENT, "delay_seconds": 0, "allow_private": True, "timeout_seconds": 60, "search_filter": ""}
    values = {"inputs": (API,), "resolve": server.resolve("wiki.test"), **own, **changes}
    return Harvest(source="commons", **values)


def tasks(harvest: Harvest, *queries: str) -> list[Task]:
    return [pickle.loads(pickle.dumps(task)) for task in harvest.plan({"queries": queries})]  # noqa: S301


def harvest(server: ApiServer, *queries: str, **changes: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    one = stage(server, **changes)
    (part,) = [one.process(task) for task in tasks(one, *queries)]
    return part.table.to_pylist(), dict(part.dropped)


def squares(count: int) -> list[File]:
    return [File(f"Red square {number:03}.jpg") for number in range(count)]


def test_a_file_becomes_candidates_with_licence_attribution_and_the_query_that_found_it(tmp_path: Path) -> None:
    more = {
        "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0",
        "LicenseShortName": "CC BY-SA 4.0",
        "Artist": '<a href="//x.test">Alice</a>',
        "Credit": "<span>Own work</span>",
    }
    texts = {"en": "A <b>red</b> square &amp; more", "de": "Ein rotes Quadrat", "_type": "lang"}
    with ApiServer(FakeWiki([File("Red square.jpg", texts, more)])) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red square"))
    assert dropped == {}
    assert [(row["caption"], row["caption_source"], row["language"]) for row in rows] == [
        ("A red square & more", "api", "en"),
        ("Ein rotes Quadrat", "api", "de"),
        ("Red square", "title", None),
    ]
    known = {name: value for name, value in rows[0].items() if value is not None and name != "key"}
    assert known == {
        "url": "http://upload.test/Red_square.jpg",
        "caption": "A red square & more",
        "caption_source": "api",
        "page_url": "http://wiki.test/wiki/File:100",
        "source": "commons",
        "source_file": "http://wiki.test/api.php?gsrsearch=%22red%20square%22",
        "source_offset": 100,
        "licence": "https://creativecommons.org/licenses/by-sa/4.0",
        "attribution": "Alice, Own work",
        "language": "en",
        "width": 640,
        "height": 480,
    }


@pytest.mark.parametrize(
    ("more", "licence", "attribution"),
    [
        ({"LicenseShortName": "Public domain"}, "Public domain", None),
        ({"Attribution": "<b>Photo:</b> Alice / agency", "Artist": "Alice"}, None, "Photo: Alice / agency"),
        ({"Credit": {"de": "Eigenes Werk", "en": "Own work", "_type": "lang"}}, None, "Own work"),
        ({"LicenseUrl": "<a href='https://x.test/l'>https://x.test/l</a>"}, "https://x.test/l", None),
    ],
)
def test_rights_are_told_as_they_are_found(
    more: dict[str, Any], licence: str | None, attribution: str | None, tmp_path: Path
) -> None:
    with ApiServer(FakeWiki([File("Red.jpg", None, more)])) as server:
        (row,), _ = harvest(server, listed(tmp_path, "red"))
    assert (row["licence"], row["attribution"]) == (licence, attribution)


def test_the_questions_are_those_of_the_api(tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(1))) as server:
        harvest(
            server, listed(tmp_path, "red"), search_filter="filetype:bitmap", thumbnail_width=330, max_lag_seconds=4
        )
    (asked,) = server.asked
    assert (asked["gsrsearch"], asked["gsrnamespace"], asked["gsrlimit"]) == ("red filetype:bitmap", "6", "50")
    assert (asked["maxlag"], asked["iiurlwidth"], asked["format"]) == ("4", "330", "json")
    assert {"url", "size", "mime", "extmetadata"} <= set(asked["iiprop"].split("|"))
    (headers,) = server.headers
    assert headers["user-agent"] == AGENT
    assert "gzip" in headers["accept-encoding"]


@pytest.mark.parametrize("pieces", [1, 3])
def test_answers_are_continued_to_their_end_and_in_the_search_s_order(pieces: int, tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(120), pieces)) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"), per_query=1_000)
    assert [row["caption"] for row in rows] == [f"Red square {number:03}" for number in range(120)]
    assert dropped == {}
    assert len(server.asked) == 3 * pieces


@pytest.mark.parametrize(("per_query", "sizes"), [(7, ["7"]), (50, ["50"]), (70, ["50", "50"])])
def test_so_many_results_of_a_query_are_looked_at(per_query: int, sizes: list[str], tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(120))) as server:
        rows, _ = harvest(server, listed(tmp_path, "red"), per_query=per_query)
    assert len(rows) == per_query
    assert [asked["gsrlimit"] for asked in server.asked] == sizes


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_the_limit_is_kept_exactly_and_ends_the_asking(shards: int, tmp_path: Path) -> None:
    words = [f"square {number:03}" for number in range(60)]
    with ApiServer(FakeWiki(squares(60))) as server:
        one = stage(server, shards=shards, limit=20)
        found = [one.process(task) for task in tasks(one, listed(tmp_path, *words))]
        again = [one.process(task) for task in tasks(one, listed(tmp_path, *reversed(words)))]
    assert sum(part.table.num_rows for part in found) == 20
    assert len(server.asked) == 2 * 20
    for part, other in zip(found, again, strict=True):
        assert part.table.equals(other.table)


def test_a_limit_ends_the_asking_within_a_query(tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(120))) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"), per_query=1_000, limit=5)
    assert (len(rows), dropped, len(server.asked)) == (5, {}, 1)


@pytest.mark.parametrize("shards", [1, 4])
def test_every_query_is_asked_in_one_task(shards: int, tmp_path: Path) -> None:
    words = [f"square {number:03}" for number in range(60)]
    with ApiServer(FakeWiki(squares(60))) as server:
        one = stage(server, shards=shards)
        found = [one.process(task).table.num_rows for task in tasks(one, listed(tmp_path, *words))]
    assert (sum(found), min(found) > 0) == (60, True)
    assert sorted(asked["gsrsearch"] for asked in server.asked) == [f'"{word}"' for word in words]


def test_a_limit_is_not_spent_on_the_head_of_the_list(tmp_path: Path) -> None:
    words = [f"square {number:03}" for number in range(60)]
    with ApiServer(FakeWiki(squares(60))) as server:
        rows, _ = harvest(server, listed(tmp_path, *words), limit=10)
    assert max(int(row["caption"][-3:]) for row in rows) > 30


def test_tasks_are_as_many_as_the_work_needs(tmp_path: Path) -> None:
    words = listed(tmp_path, *(f"w{number}" for number in range(2_500)))
    with ApiServer(FakeWiki([])) as server:
        assert len(tasks(stage(server), words)) == 3
        assert len(tasks(stage(server, limit=900), words)) == 1
        assert len(tasks(stage(server, shards=5), words)) == 5
    slices = [task.arguments["slice"] for task in tasks(stage(server, shards=5), words)]
    assert slices == list(range(5))


def test_two_queries_that_find_one_file_give_it_once(tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(1))) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red", "square", "green"))
    assert (len(rows), dropped) == (1, {"same_key": 1, "no_result": 1})


def test_what_is_no_image_is_counted(tmp_path: Path) -> None:
    files = [
        File("Red.pdf", mime="application/pdf"),
        File("Red.svg", mime="image/svg+xml"),
        File("Red.png", mime="image/png"),
    ]
    with ApiServer(FakeWiki(files)) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"))
        small, none = harvest(server, listed(tmp_path, "red"), thumbnail_width=330)
    assert ([row["url"] for row in rows], dropped) == (["http://upload.test/Red.png"], {"file_type": 2})
    assert none == {}
    assert [(row["url"], row["width"], row["height"]) for row in small][1] == (
        "http://upload.test/thumb/Red.svg.png",
        330,
        220,
    )


def test_a_wiki_that_lags_is_left_alone_for_as_long_as_it_says(tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(1), trouble=[LAGGED])) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"))
    assert (len(rows), dropped) == (1, {})
    assert server.times[1] - server.times[0] >= 1.0


@pytest.mark.parametrize(
    "trouble",
    [
        Said(b"", 429, {"Retry-After": "0"}),
        Said(b"", 503),
        Said(b"<html>a proxy's word", 200),
        Said({"error": {"code": "ratelimited"}}),
        Said({"error": {"code": "readonly"}}),
        Said({"error": {"code": "internal_api_error_DBQueryError"}}),
        Said(b"", 200, {"Content-Length": "10", "Connection": "close"}),
    ],
)
def test_what_passes_is_asked_again(trouble: Said, tmp_path: Path) -> None:
    with ApiServer(FakeWiki(squares(1), trouble=[trouble])) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"))
    assert (len(rows), dropped, len(server.asked)) == (1, {}, 2)


@pytest.mark.parametrize("trouble", [Said(b"", 503), Said({"error": {"code": "maxlag"}})])
def test_what_does_not_pass_puts_the_work_off(trouble: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("witbuild.web.turnstile.Turnstile.rest", lambda _, seconds: pauses.append(seconds))
    with (
        ApiServer(FakeWiki([], trouble=[trouble] * 100)) as server,
        pytest.raises(RetryLaterError, match=r"run again later"),
    ):
        harvest(server, listed(tmp_path, "red"))
    assert len(server.asked) == asking.TRIES
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16]


def test_a_wait_that_is_too_long_puts_the_work_off_at_once(tmp_path: Path) -> None:
    trouble = [Said(b"", 429, {"Retry-After": "600"})]
    with (
        ApiServer(FakeWiki([], trouble=trouble)) as server,
        pytest.raises(RetryLaterError, match=r"http_429, .* 600 s"),
    ):
        harvest(server, listed(tmp_path, "red"))
    assert len(server.asked) == 1


LATER = {"Retry-After": "600"}


@pytest.mark.parametrize("no", [Said(b"", 429, LATER), Said({"error": {"code": "maxlag"}}, headers=LATER)])
def test_what_was_answered_is_not_asked_again(no: Said, tmp_path: Path) -> None:
    words = listed(tmp_path, "square 001", "square 002", "square 003", "red")
    wiki = FakeWiki(squares(70))
    with ApiServer(wiki) as server:
        one = stage(server, per_query=100)
        (task,) = tasks(one, words)
        task = Task(task.index, task.sources, task.arguments, str(tmp_path / "scratch"))
        whole = one.process(Task(task.index, task.sources, task.arguments))
        wanted = len(server.asked)
        order = [asked["gsrsearch"] for asked in server.asked]
        wiki.trouble = [wiki(server.asked[0]), wiki(server.asked[1]), no]
        with pytest.raises(RetryLaterError):
            one.process(task)
        kept = tmp_path / "scratch" / "answers"
        kept.write_bytes(kept.read_bytes() + b"\0\0\1\0cut off")
        part = one.process(task)
        done = len(server.asked)
        assert one.process(task).table.equals(part.table)
    assert part.table.equals(whole.table)
    assert done == 2 * wanted + 1
    assert len(server.asked) == done
    assert [asked["gsrsearch"] for asked in server.asked[wanted:]] == [*order[:3], *order[2:]]


def test_an_error_of_a_query_costs_the_query(tmp_path: Path) -> None:
    trouble = [Said({"error": {"code": "internal_error_of_search"}}), Said(b"", 414)]
    with ApiServer(FakeWiki(squares(1), trouble=trouble)) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red", "square", "000"))
    assert (len(rows), dropped) == (1, {"query_refused": 2})


def test_a_continuation_that_is_refused_keeps_what_came_before(tmp_path: Path) -> None:
    wiki = FakeWiki(squares(120))
    wiki.trouble = [
        wiki({"generator": "search", "gsrsearch": "red", "gsrlimit": "50"}),
        Said({"error": {"code": "badcontinue"}}),
    ]
    with ApiServer(wiki) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"), per_query=500)
    assert (len(rows), dropped) == (50, {"bad_continue": 1})


def test_a_wiki_that_sends_in_a_circle_is_left(tmp_path: Path) -> None:
    circle = Said({"batchcomplete": True, "continue": {"gsroffset": 50, "continue": "x"}})
    with ApiServer(lambda _: circle) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"))
    assert (rows, dropped, len(server.asked)) == ([], {"bad_continue": 1}, 2)


def test_an_answer_beyond_the_bound_costs_the_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_ANSWER_BYTES", 10_000)
    with ApiServer(FakeWiki([File("Red.jpg", "x" * 20_000)])) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red"))
    assert (rows, dropped) == ([], {"answer_too_large": 1})


def test_an_address_that_is_no_api_is_named_before_every_query_is_asked(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(100)]
    with (
        ApiServer(lambda _: Said(b"<html>")) as server,
        pytest.raises(InputError, match=r"wiki\.test.*expected the address"),
    ):
        harvest(server, listed(tmp_path, *words))
    assert len(server.asked) == 2 * TRIAL_QUESTIONS


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(b"", 404), InputError),
        (Said(b"", 301, {"Location": "http://other.test/"}), InputError),
        (Said(b"", 403), PolicyError),
        (Said({"error": {"code": "readapidenied", "info": "no"}}), PolicyError),
    ],
)
def test_a_wiki_that_lets_us_ask_nothing_ends_the_work(said: Said, error: type[Exception], tmp_path: Path) -> None:
    with ApiServer(lambda _: said) as server, pytest.raises(error, match=r"http://wiki\.test/api\.php"):
        harvest(server, listed(tmp_path, "red", "blue"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_all_files_by_name_are_in_one_task_each(shards: int) -> None:
    names = ["'t.jpg", "0.jpg", "9.jpg", "A.jpg", "B b.jpg", "H.jpg", "I.jpg", "Z.jpg", "Ä.jpg", "日.jpg"]
    with ApiServer(FakeWiki([File(name) for name in names])) as server:
        one = stage(server, shards=shards, listing="allimages")
        rows = [row for task in one.plan({}) for row in one.process(task).table.to_pylist()]
    assert len(list(one.plan({}))) == shards
    assert [row["caption"] + ".jpg" for row in rows] == sorted(names)


def test_only_what_searches_depends_on_the_queries(tmp_path: Path) -> None:
    with ApiServer(FakeWiki([])) as server:
        assert stage(server).steps()[0].optional == ("queries",)
        assert stage(server, listing="allimages").steps()[0].optional == ()
        assert Harvest(source="warc", inputs=("x",)).steps()[0].optional == ()
        with pytest.raises(RecipeError, match=r"--queries"):
            tasks(stage(server))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"user_agent": ""}, PolicyError),
        ({"user_agent": "python-requests"}, PolicyError),
        ({"inputs": (API, API)}, RecipeError),
        ({"inputs": ("no url",)}, RecipeError),
        ({"inputs": (), "thumbnail_width": 300}, RecipeError),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(
    changes: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with ApiServer(FakeWiki([])) as server, pytest.raises(error):
        harvest(server, listed(tmp_path, "red"), **changes)
    assert server.asked == []


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    with ApiServer(FakeWiki([])) as server, pytest.raises((InputError, PolicyError)):
        harvest(server, listed(tmp_path, "red"), allow_private=False, inputs=("http://127.0.0.1/api.php",))
    assert server.asked == []


def test_a_token_is_sent_and_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITBUILD_COMMONS_TOKEN", "secret\n")
    with ApiServer(FakeWiki(squares(1))) as server:
        one = stage(server)
        (task,) = tasks(one, listed(tmp_path, "red"))
        one.process(Task(task.index, task.sources, task.arguments, str(tmp_path / "scratch")))
        with pytest.raises(PolicyError, match=r"token"):
            harvest(server, listed(tmp_path, "red"), allow_private=False)
    assert [headers["authorization"] for headers in server.headers] == ["Bearer secret"]
    assert b"secret" not in (tmp_path / "scratch" / "answers").read_bytes()


def test_the_usual_address_is_commons() -> None:
    found = Harvest(source="commons", user_agent=AGENT).reader()
    assert isinstance(found, Commons)
    assert found.address == "https://commons.wikimedia.org/w/api.php"


NAMES = [
    "query", "pages", "imageinfo", "url", "mime", "extmetadata", "ImageDescription", "value", "pageid", "index",
    "title", "continue", "batchcomplete", "descriptionurl", "width", "LicenseUrl", "Artist",
]  # fmt: skip
WORDS = st.sampled_from(["image/jpeg", "http://a.test/x", "en", "\ud800 <b>x", "\x00", "://"]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)


class Parrot:
    """Gives the same answer to every question."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def ask(self, url: str) -> dict[str, Any]:
        return self.answer


@settings(max_examples=40)
@given(pages=JSON, info=JSON, said=JSON)
def test_whatever_stands_in_an_answer_is_read(pages: Any, info: Any, said: Any) -> None:
    source = Harvest(source="commons", user_agent=AGENT).reader()
    assert isinstance(source, Commons)
    whole = {
        "url": "http://a.test/x",
        "mime": "image/png",
        "extmetadata": {"ImageDescription": said, "ObjectName": said},
    }
    for answer in (
        {"query": pages},
        {"query": {"pages": pages}, "continue": info},
        {"query": {"pages": [{"imageinfo": info, "pageid": said, "index": pages}]}},
        {"query": {"pages": [{"imageinfo": [{**whole, "width": info, "descriptionurl": said}], "title": pages}]}},
    ):
        out = Candidates("commons")
        try:
            asyncio.run(source._ask(cast("Asker", Parrot(answer)), {"gsrsearch": "x"}, out))
        except RefusedError as error:
            out.drop(error.reason)
        assert out.table().num_rows + sum(out.dropped.values()) > 0
