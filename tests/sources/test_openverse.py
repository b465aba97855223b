"""Openverse: a sample of it, in its own pace, with everything that a licence asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api_server import ApiServer, Said
from tests.sources.listed import listed
from witbuild.errors import InputError, PolicyError, RetryLaterError
from witbuild.sources.openverse import MAX_PAGES, Openverse
from witbuild.stage import Task
from witbuild.stages.harvest import Harvest
from witbuild.web import asking

AGENT = "witbuild-test/0 (+http://contact.test/)"
API = "http://openverse.test/v1/images/"


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.web.turnstile.places_folder", lambda: tmp_path / "places")
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.01)


def image(number: int, **changes: Any) -> dict[str, Any]:
    """An image as the API's documentation shows one."""
    return {
        "id": f"4bc43a04-ef46-4544-a0c1-{number:012}",
        "title": f"Red panda {number}",
        "foreign_landing_url": f"https://flickr.test/photos/{number}",
        "url": f"https://live.test/{number}_b.jpg",
        "creator": "Alice",
        "creator_url": "https://flickr.test/alice",
        "license": "by",
        "license_version": "2.0",
        "license_url": "https://creativecommons.org/licenses/by/2.0/",
        "provider": "flickr",
        "source": "flickr",
        "category": None,
        "filesize": None,
        "filetype": None,
        "tags": [
            {"name": "zoo", "accuracy": None},
            {"name": "animal", "accuracy": 0.97},
            {"name": "red", "accuracy": None},
        ],
        "attribution": f'"Red panda {number}" by Alice is licensed under CC BY 2.0.',
        "fields_matched": ["title"],
        "mature": False,
        "height": 683,
        "width": 1024,
        "thumbnail": f"{API}{number}/thumb/",
        "detail_url": f"{API}{number}/",
        "related_url": f"{API}{number}/related/",
        **changes,
    }


class Catalogue:
    """Answers page by page."""

    def __init__(self, images: list[dict[str, Any]], headers: dict[str, str] | None = None) -> None:
        self.images, self.headers = images, headers or {}
        self.trouble: list[Said] = []

    def __call__(self, asked: dict[str, str]) -> Said:
        if self.trouble:
            return self.trouble.pop(0)
        page, size = int(asked["page"]), int(asked["page_size"])
        pages = min(MAX_PAGES, -(-len(self.images) // size))
        results = self.images[(page - 1) * size : page * size]
        told = {
            "result_count": len(self.images),
            "page_count": pages,
            "page_size": size,
            "page": page,
            "results": results,
        }
        return Said(told, headers=self.headers)


def harvest(server: ApiServer, *queries: str, **changes: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    own = {"user_agent": AGENT, "delay_seconds": 0, "allow_private": True, "timeout_seconds": 60, "limit": 1_000}
    stage = Harvest(
        source="openverse", **{"inputs": (API,), "resolve": server.resolve("openverse.test"), **own, **changes}
    )
    (task,) = stage.plan({"queries": queries})
    part = stage.process(Task(task.index, task.sources, task.arguments, str(Path(queries[0]).parent / "scratch")))
    return part.table.to_pylist(), dict(part.dropped)


def test_an_image_becomes_candidates_with_all_that_its_licence_asks_for(tmp_path: Path) -> None:
    with ApiServer(Catalogue([image(7)])) as server:
        rows, dropped = harvest(server, listed(tmp_path, "red panda"))
    assert dropped == {}
    assert [(row["caption"], row["caption_source"]) for row in rows] == [("Red panda 7", "title"), ("zoo, red", "api")]
    known = {name: value for name, value in rows[0].items() if value is not None and name != "key"}
    assert known == {
        "url": "https://live.test/7_b.jpg",
        "caption": "Red panda 7",
        "caption_source": "title",
        "page_url": "https://flickr.test/photos/7",
        "source": "openverse",
        "source_file": "http://openverse.test/v1/images/4bc43a04-ef46-4544-a0c1-000000000007/?q=%22red%20panda%22",
        "licence": "https://creativecommons.org/licenses/by/2.0/",
        "attribution": '"Red panda 7" by Alice is licensed under CC BY 2.0.',
        "width": 1024,
        "height": 683,
    }
    (asked,) = server.asked
    assert asked == {"q": '"red panda"', "page": "1", "page_size": "20", "mature": "false"}


@pytest.mark.parametrize(
    ("count", "per_query", "pages"), [(45, 50, 3), (45, 20, 1), (45, 21, 2), (1_000, 10_000, MAX_PAGES)]
)
def test_pages_are_asked_for_as_far_as_they_are_wanted(count: int, per_query: int, pages: int, tmp_path: Path) -> None:
    with ApiServer(Catalogue([image(number, tags=[]) for number in range(count)])) as server:
        rows, _ = harvest(server, listed(tmp_path, "panda"), per_query=per_query)
    assert len(rows) == min(count, per_query, 20 * MAX_PAGES)
    assert [asked["page"] for asked in server.asked] == [str(page) for page in range(1, pages + 1)]


def test_what_is_not_known_is_made_up_by_nobody(tmp_path: Path) -> None:
    bare = dict.fromkeys(image(1)) | {"url": "https://live.test/1.jpg", "title": "one"}
    odd = image(2, title=None, tags=None, license_url=None)
    files = [
        bare,
        odd,
        image(3, license_url=None),
        image(4, url=None),
        image(5, filetype="svg"),
        {},
        image(6, url="x:"),
    ]
    with ApiServer(Catalogue(files)) as server:
        rows, dropped = harvest(server, listed(tmp_path, "panda"))
    assert [(row["caption"], row["licence"], row["attribution"]) for row in rows[:2]] == [
        ("one", None, None),
        ("Red panda 3", "CC BY 2.0", image(3)["attribution"]),
    ]
    assert dropped == {"no_caption": 1, "no_file": 2, "file_type": 1, "bad_url": 1}


def test_its_terms_want_a_limit(tmp_path: Path) -> None:
    with ApiServer(Catalogue([])) as server:
        for limit in (0, 10_001):
            with pytest.raises(PolicyError, match=r"terms"):
                harvest(server, listed(tmp_path, "panda"), limit=limit)
    assert server.asked == []


def test_one_request_is_made_at_a_time() -> None:
    assert Openverse.places == 1


def test_the_rest_of_a_minute_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rested: list[float] = []
    monkeypatch.setattr("witbuild.web.turnstile.Turnstile.rest", lambda _, seconds: rested.append(seconds))
    spent = {"X-RateLimit-Limit-anon_burst": "20/min", "X-RateLimit-Available-anon_burst": "0"}
    with ApiServer(Catalogue([image(number) for number in range(60)], spent)) as server:
        rows, _ = harvest(server, listed(tmp_path, "panda"), per_query=60)
    assert (len(rows), rested) == (120, [60.0, 60.0])


def test_a_day_that_is_used_up_puts_the_work_off_without_a_request(tmp_path: Path) -> None:
    spent = {"X-RateLimit-Limit-anon_sustained": "200/day", "X-RateLimit-Available-anon_sustained": "0"}
    catalogue = Catalogue([image(number) for number in range(60)], spent)
    with ApiServer(catalogue) as server:
        with pytest.raises(RetryLaterError, match=r"anon_sustained: 0 of 200/day.*86400 s"):
            harvest(server, listed(tmp_path, "panda"), per_query=60)
        assert len(server.asked) == 1
        catalogue.headers = {
            "X-RateLimit-Limit-anon_sustained": "200/day",
            "X-RateLimit-Available-anon_sustained": "100",
        }
        rows, _ = harvest(server, listed(tmp_path, "panda"), per_query=60)
    assert (len(rows), [asked["page"] for asked in server.asked]) == (120, ["1", "2", "3"])


@pytest.mark.parametrize(
    ("trouble", "requests"),
    [(Said(b"", 429, {"Retry-After": "0"}), 2), (Said(b"", 503), 2), (Said(b"{", 200), 2)],
)
def test_what_passes_is_asked_again(trouble: Said, requests: int, tmp_path: Path) -> None:
    catalogue = Catalogue([image(1)])
    catalogue.trouble = [trouble]
    with ApiServer(catalogue) as server:
        rows, dropped = harvest(server, listed(tmp_path, "panda"))
    assert (len(rows), dropped, len(server.asked)) == (2, {}, requests)


@pytest.mark.parametrize("trouble", [Said({"detail": {"q": "no"}}, 400), Said({"detail": "odd"}), Said([1])])
def test_a_query_that_is_refused_costs_itself(trouble: Said, tmp_path: Path) -> None:
    catalogue = Catalogue([image(1)])
    catalogue.trouble = [trouble, trouble] if trouble.value == [1] else [trouble]
    with ApiServer(catalogue) as server:
        rows, dropped = harvest(server, listed(tmp_path, "panda", "red"))
    assert len(rows) == 2
    assert sum(dropped.values()) == 1


@pytest.mark.parametrize(("status", "error"), [(401, PolicyError), (403, PolicyError), (404, InputError)])
def test_an_api_that_is_closed_ends_the_work(status: int, error: type[Exception], tmp_path: Path) -> None:
    with ApiServer(lambda _: Said(b"", status)) as server, pytest.raises(error, match=r"openverse\.test"):
        harvest(server, listed(tmp_path, "panda", "red"))
    assert len(server.asked) == 1


def test_a_token_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITBUILD_OPENVERSE_TOKEN", "DLBYIcfn")
    with ApiServer(Catalogue([image(1)])) as server:
        harvest(server, listed(tmp_path, "panda"))
    assert server.headers[0]["authorization"] == "Bearer DLBYIcfn"


def test_the_usual_address_is_openverse() -> None:
    found = Harvest(source="openverse", user_agent=AGENT, limit=1).reader()
    assert isinstance(found, Openverse)
    assert found.address == "https://api.openverse.org/v1/images/"
