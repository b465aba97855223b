"""From harvest to shards over input that nobody here wrote: an archive, documentation, a list in LAION's columns."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.server import Reply, Site
from tests.warcs import bodies
from witbuild.engine.local import LocalEngine
from witbuild.io import tars
from witbuild.io.manifest import total
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.text.tokens import tokens

AGENT = "witbuild-test/0 (+http://contact.test/)"


MAIN_PAGE_WORDS = [
    "acland", "arden", "commons", "emperor shrimp", "facade", "foundation", "ma", "meta", "powered by", "search",
    "wikibooks", "wikinews", "wikiquote", "wikisource", "wikispecies", "wikiversity", "wiktionary",
]  # fmt: skip
"""One for each of the 17 images with alternative text on Wikipedia's main page of January 2012."""


def shipped(words: list[str], folder: Path, **harvest: Any) -> Recipe:
    """The recipe `warc` with a query list of its own and other input."""
    path = folder / "queries.txt"
    path.write_text("\n".join(words))
    changes = {
        "queries.lists": [str(path)], "queries.synsets": False, "fetch.user_agent": AGENT,
        "fetch.allow_private": True, "fetch.retries": 0, "fetch.timeout_seconds": 60, "fetch.per_host": 8,
        **{f"harvest.{name}": value for name, value in harvest.items()},
    }  # fmt: skip
    return Recipe.load("warc").with_overrides(f"{name}={json.dumps(value)}" for name, value in changes.items())


def carry_out(recipe: Recipe, root: Path, site: Site, hosts: set[str], workers: int = 1) -> Run:
    resolved = recipe.with_overrides([f"fetch.resolve={json.dumps(site.resolve(*hosts))}"])
    with LocalEngine(workers=workers) as engine:
        return run_recipe(resolved, str(root), engine)


def funnel(run: Run) -> dict[str, tuple[int, dict[str, int]]]:
    """Name of a recipe's stage -> rows that came out and all drops on the way."""
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for _, manifest in run.manifests():
        name = manifest.identity.name.split(".")[0]
        before = found.get(name, (0, {}))[1]
        found[name] = (manifest.rows, total([before, manifest.dropped]))
    return found


def samples(run: Run) -> list[dict[str, Any]]:
    """The records of every sample in the tars."""
    found = []
    for path in run.paths(run.newest("tars")[1], "tars"):
        for sample in tars.index(path):
            extent = sample.members["json"]
            found.append(json.loads(Path(path).read_bytes()[extent.offset : extent.offset + extent.size]))
    return found


def test_an_archive_that_holds_its_own_images(shared: Path, tmp_path: Path) -> None:
    archive = shared / "warc" / "main-page.warc.gz"
    held = bodies(archive)
    pages = {url: Reply(body, headers={"Content-Type": kind}) for url, (kind, body) in held.items()}
    recipe = shipped(MAIN_PAGE_WORDS, tmp_path, source="warc", inputs=[str(archive)])
    with Site(pages) as site:
        run = carry_out(recipe, tmp_path / "run", site, {urlsplit(url).netloc for url in held})
    steps = funnel(run)
    assert (steps["harvest"], steps["match"]) == ((17, {}), (17, {}))
    assert steps["fetch"] == (17, {})
    records = samples(run)
    assert {record["sha256"] for record in records} == {
        hashlib.sha256(held[record["url"]][1]).hexdigest() for record in records
    }
    assert len(records) == 17
    assert all(record["page_url"] and record["source"] == "warc" for record in records)


DOCS = Path("/usr/share/doc/python-skimage-doc/html")


@pytest.mark.skipif(not DOCS.is_dir(), reason="Debian's python-skimage-doc is not installed")
def test_real_documentation(tmp_path: Path) -> None:
    files = {f"/{path.relative_to(DOCS)}": path for path in DOCS.rglob("*") if path.suffix in {".png", ".jpg", ".gif"}}
    pages = {name: Reply(path.read_bytes()) for name, path in files.items()}
    recipe = shipped(["image", "plot"], tmp_path, source="html", inputs=[str(DOCS)], base_url="http://docs.test/")
    with Site({}) as site:
        site.pages = {**pages}
        run = carry_out(recipe, tmp_path / "run", site, {"docs.test"}, workers=2)
    urls = [record["url"] for record in samples(run)]
    assert len(urls) > 50
    assert all(unquote(urlsplit(url).path) in files for url in urls)


def test_a_list_in_laions_columns(shared: Path, tmp_path: Path) -> None:
    rows = pq.read_table(shared / "lists" / "laion_10000.parquet").slice(0, 300).to_pylist()
    rows = [row for row in rows if row["URL"].startswith("http://") and row["TEXT"]]
    dead = {row["URL"] for row in rows[::10]}
    path = tmp_path / "laion.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    words = sorted({word for row in rows for word in tokens(row["TEXT"])})
    recipe = shipped(words, tmp_path, source="urls", inputs=[str(path)])
    hosts = {urlsplit(row["URL"]).hostname or "" for row in rows}
    pages = {
        _as_asked(row["URL"]): Reply(jpeg(number, 200)) for number, row in enumerate(rows) if row["URL"] not in dead
    }
    with Site(pages) as site:
        run = carry_out(recipe, tmp_path / "run", site, hosts)
    steps = funnel(run)
    assert steps["harvest"][0] == len({(row["URL"], row["TEXT"]) for row in rows})
    assert steps["fetch"][1]["http_404"] == sum(row["URL"] in dead for row in rows)
    assert len(samples(run)) == len(rows) - len(dead)
    captions = {" ".join(row["TEXT"].split()) for row in rows}
    assert {record["caption"] for record in samples(run)} <= captions


def _as_asked(url: str) -> str:
    parts = urlsplit(url)
    return f"http://{parts.netloc.lower()}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
