"""Update: only what is new is read and fetched, and the result is that of a build from scratch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.server import Reply, Site
from tests.warcs import packed, page
from witbuild.audit.diff import diff
from witbuild.audit.requests import tombstone
from witbuild.audit.takedown import takedown
from witbuild.audit.update import prepare
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError, RecipeError
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import Settings, run_recipe

AGENT = "witbuild-test/0 (+http://contact.test/)"
WORDS = ["red", "green", "dog", "boat", "square"]
HOSTS = [f"h{i}.test" for i in range(4)]
TIMED = {"manifest.json", "done", "visits"}


def image(number: int) -> str:
    return f"http://h{number % 4}.test/{number}.jpg"


def caption(number: int) -> str:
    return f"a {WORDS[number % 5]} {WORDS[number % 3]} thing, number {number}"


def archive(folder: Path, name: str, numbers: list[int], suffix: str = "") -> str:
    """A WARC of pages with four images each."""
    pages = []
    for start in range(0, len(numbers), 4):
        tags = "".join(f'<img src="{image(i)}" alt="{caption(i)}{suffix}">' for i in numbers[start : start + 4])
        pages.append(page(f"<html><body>{tags}</body></html>", f"http://pages.test/{name}/{start}"))
    (folder / name).write_bytes(packed(*pages))
    return str(folder / name)


@pytest.fixture
def site() -> Iterator[Site]:
    """Every seventh image is missing; 41 looks like 1; two hosts do not allow robots everywhere."""
    pages = {f"/{i}.jpg": Reply(jpeg(1 if i == 41 else i, 80)) for i in range(60) if i % 7}
    with Site(pages) as served:
        yield served


def recipe(folder: Path, site: Site, archives: list[str]) -> Recipe:
    (folder / "queries.txt").write_text("\n".join(WORDS))
    values = {
        "queries.lists": [str(folder / "queries.txt")], "queries.synsets": False, "harvest.inputs": archives,
        "harvest.shards": 0, "balance.limit": 9, "balance.slices": 2, "dedup.slices": 2, "shard.slices": 2,
        "shard.samples_per_shard": 10, "fetch.shards": 3, "fetch.user_agent": AGENT, "fetch.allow_private": True,
        "fetch.retries": 0, "fetch.timeout_seconds": 60, "fetch.resolve": site.resolve(*HOSTS),
    }  # fmt: skip
    return Recipe.load("warc").with_overrides(f"{name}={json.dumps(value)}" for name, value in values.items())


def build(recipe: Recipe, root: Path, earlier: str = "", workers: int = 1) -> Run:
    with LocalEngine(workers) as engine:
        return run_recipe(recipe, str(root), engine, Settings(earlier=earlier))


def contents(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and not TIMED & {path.name, path.parent.name}]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def asked(site: Site) -> set[str]:
    return {url for url in site.hits if not url.endswith(("robots.txt", "/ai.txt", "/tdmrep.json"))}


def urls(run: Run) -> set[str]:
    paths = run.paths(run.newest("sidecars")[1], "sidecars")
    return {url for path in paths for url in pq.read_table(path)["url"].to_pylist()}


@pytest.fixture
def archives(tmp_path: Path) -> tuple[list[str], str]:
    """Two archives, and a third that repeats some of them, word for word and nearly, beside what is new."""
    old = [archive(tmp_path, "a.warc.gz", list(range(16))), archive(tmp_path, "b.warc.gz", list(range(16, 32)))]
    return old, archive(tmp_path, "c.warc.gz", [1, 2, 20, 21, *range(32, 48)])


def test_an_update_is_a_build_from_scratch_byte_for_byte(
    tmp_path: Path, site: Site, archives: tuple[list[str], str]
) -> None:
    old, new = archives
    build(recipe(tmp_path, site, old), tmp_path / "old")
    before = asked(site)
    site.hits.clear()
    updated = build(
        prepare(str(tmp_path / "old"), str(tmp_path / "new"), "warc", [new]), tmp_path / "new", str(tmp_path / "old")
    )
    fresh = asked(site)
    site.hits.clear()
    scratch = build(recipe(tmp_path, site, [*old, new]), tmp_path / "scratch")
    assert contents(tmp_path / "new") == contents(tmp_path / "scratch")
    assert updated.merkle_root() == scratch.merkle_root()
    assert [one.fingerprint for _, one in updated.manifests()] == [one.fingerprint for _, one in scratch.manifests()]
    assert not fresh & before, "something was fetched again"
    assert fresh <= asked(site) and len(fresh) < len(asked(site))
    found = diff(str(tmp_path / "old"), str(tmp_path / "new"))
    assert found.added > 0


def test_parts_over_the_same_bytes_are_not_made_again(
    tmp_path: Path, site: Site, archives: tuple[list[str], str]
) -> None:
    old, new = archives
    build(recipe(tmp_path, site, old), tmp_path / "old")
    earlier = str(tmp_path / "old")
    updated = build(prepare(earlier, str(tmp_path / "new"), "warc", [new]), tmp_path / "new", earlier)
    same = {}
    for folder, manifest in updated.manifests():
        files = [tmp_path / "old" / file.path for part in manifest.parts for file in part.files]
        made = [tmp_path / "new" / file.path for part in manifest.parts for file in part.files]
        pairs = zip(files, made, strict=True)
        same[folder.name[3:]] = sum(one.exists() and one.samefile(other) for one, other in pairs)
    assert same["harvest"] == same["match"] == same["filter"] == 2
    assert any(count == 2 for name, count in same.items() if name.startswith("dedup"))
    assert same["queries.list"] == 1


def test_a_changed_archive_is_read_again(tmp_path: Path, site: Site, archives: tuple[list[str], str]) -> None:
    old, new = archives
    build(recipe(tmp_path, site, old), tmp_path / "old")
    earlier = str(tmp_path / "old")
    grown = prepare(earlier, str(tmp_path / "new"), "warc", [new])
    archive(tmp_path, "b.warc.gz", list(range(16, 32)), " again")
    build(grown, tmp_path / "new", earlier)
    build(grown, tmp_path / "scratch")
    assert contents(tmp_path / "new") == contents(tmp_path / "scratch")


def test_what_was_taken_down_does_not_come_back(tmp_path: Path, site: Site, archives: tuple[list[str], str]) -> None:
    old, new = archives
    first = build(recipe(tmp_path, site, old), tmp_path / "old")
    gone = sorted(url for url in urls(first) if "//h1.test/" in url)
    single = next(url for url in sorted(urls(first)) if "//h2.test/" in url)
    assert gone
    takedown(first.root, [tombstone("host", "h1.test"), tombstone("url", single)])
    site.hits.clear()
    updated = build(prepare(first.root, str(tmp_path / "new"), "warc", [new]), tmp_path / "new", first.root)
    assert not any("//h1.test/" in url for url in urls(updated) | asked(site))
    assert image(41) not in urls(updated), "41 has the bytes of 1, which was on the host that was taken down"
    assert single not in urls(updated)
    assert urls(updated) - urls(first)
    again = build(
        prepare(updated.root, str(tmp_path / "third"), "warc", [archive(tmp_path, "d.warc.gz", list(range(0, 60, 3)))]),
        tmp_path / "third",
        updated.root,
    )
    assert not any("//h1.test/" in url for url in urls(again)) and single not in urls(again)


def test_what_cannot_be_added_is_said(tmp_path: Path, site: Site, archives: tuple[list[str], str]) -> None:
    old, new = archives
    build(recipe(tmp_path, site, old), tmp_path / "old")
    run = str(tmp_path / "old")
    with pytest.raises(RecipeError, match="the earlier run harvests warc; add more of that"):
        prepare(run, str(tmp_path / "new"), "wat", [new])
    with pytest.raises(InputError, match="name a new folder"):
        prepare(run, run, "warc", [new])
    with pytest.raises(InputError, match="not a run directory"):
        prepare(str(tmp_path / "nothing"), str(tmp_path / "new"), "warc", [new])
