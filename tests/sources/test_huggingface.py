"""URL lists in data sets of the Hugging Face hub: names, revisions, globs, tokens, and what the hub says no to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.test_cli import witbuild
from tests.hub_server import Hub
from witbuild.errors import InputError, MissingExtraError, PolicyError, RetryLaterError
from witbuild.io import store
from witbuild.sources import huggingface
from witbuild.stages.harvest import Harvest
from witbuild.web import remote

hub_library = pytest.importorskip("huggingface_hub")


def rows(start: int, stop: int) -> bytes:
    out = io.BytesIO()
    urls = [f"http://a.test/{number}.jpg" for number in range(start, stop)]
    pq.write_table(pa.table({"url": urls, "text": ["a square"] * len(urls), "other": ["x" * 100] * len(urls)}), out)
    return out.getvalue()


FILES = {
    "README.md": b"# a card",
    ".gitattributes": b"*.parquet filter=lfs",
    "dataset_infos.json": b'{"default": {}}',
    "data/train-0.parquet": rows(0, 500),
    "data/train-1.parquet": rows(500, 700),
    "data/val/0.parquet": rows(700, 701),
    "more/list.csv": b"url,text\nhttp://a.test/z.jpg,z\n",
}
SETS = {
    "me/mine": {
        "main": FILES,
        "v1": {"data/train-0.parquet": rows(0, 2)},
        "refs/convert/parquet": {"default/train/0000.parquet": rows(0, 3)},
    },
    "me/text": {"main": {"README.md": b""}},
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with Hub(SETS) as hub:
        monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        forget()
        yield hub
    forget()


def forget() -> None:
    """Forget what was asked of another hub."""
    store._filesystem.cache_clear()
    hub_library.HfFileSystem.clear_instance_cache()


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("/data/*.parquet", ["/data/train-0.parquet", "/data/train-1.parquet"]),
        ("/data/train-1.parquet", ["/data/train-1.parquet"]),
        ("/data", ["/data/train-0.parquet", "/data/train-1.parquet", "/data/val/0.parquet"]),
        ("", [f"/{path}" for path in sorted(FILES)]),
        ("/**/*.parquet", ["/data/train-0.parquet", "/data/train-1.parquet", "/data/val/0.parquet"]),
        ("@v1", ["@v1/data/train-0.parquet"]),
        ("@v1/data/*", ["@v1/data/train-0.parquet"]),
        ("@refs%2Fconvert%2Fparquet/**", ["@refs%2Fconvert%2Fparquet/default/train/0000.parquet"]),
        ("/nothing/*.parquet", []),
        ("/no.parquet", []),
    ],
)
def test_names_stand_for_files(name: str, files: list[str], hub: Hub) -> None:
    assert huggingface.expand(f"hf://datasets/me/mine{name}") == [f"hf://datasets/me/mine{file}" for file in files]


@pytest.mark.parametrize(
    ("name", "pairs", "parts"),
    [
        ("", 701, 3),
        ("/data/*.parquet", 700, 2),
        ("@v1/data/train-0.parquet", 2, 1),
        ("/more/list.csv", 1, 1),
        ("@v1", 2, 1),
    ],
)
def test_lists_are_harvested(name: str, pairs: int, parts: int, hub: Hub) -> None:
    stage = Harvest(source="urls", inputs=(f"hf://datasets/me/mine{name}",))
    found = [stage.process(task) for task in stage.plan({})]
    assert [sum(part.table.num_rows for part in found), len(found)] == [pairs, parts]
    assert {dict(part.dropped).get("bad_row", 0) for part in found} == {0}
    assert all(
        file.startswith("hf://datasets/me/mine") for part in found for file in part.table["source_file"].to_pylist()
    )


def test_a_file_can_be_cut_into_pieces_that_are_read_by_ranges(hub: Hub) -> None:
    stage = Harvest(source="urls", inputs=("hf://datasets/me/mine/data/train-0.parquet",), shards=3)
    found = [url for task in stage.plan({}) for url in stage.process(task).table["url"].to_pylist()]
    assert sorted(found) == sorted(f"http://a.test/{number}.jpg" for number in range(500))
    read = [asked for method, path, asked, _ in hub.requests if method == "GET" and "/resolve/" in path]
    assert read and all(asked.startswith("bytes=") for asked in read)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf://datasets/me/none/x.parquet", "repository not found.*HF_TOKEN"),
        ("hf://datasets/me/mine@v9/x.parquet", "revision not found"),
        ("hf://datasets/mine", "expected hf://datasets/OWNER/NAME"),
        ("hf://me/mine/x.parquet", "expected hf://datasets/OWNER/NAME"),
        ("hf://datasets/me/mine/no.parquet", "names no list; there is no file"),
        ("hf://datasets/me/text", "names no list, but 1 other files"),
    ],
)
def test_what_the_hub_does_not_have_is_named(name: str, words: str, hub: Hub) -> None:
    with pytest.raises(InputError, match=words) as caught:
        list(Harvest(source="urls", inputs=(name,)).plan({}))
    assert str(caught.value).startswith(name)


def test_a_gated_set_says_what_to_do_and_opens_to_a_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_secret"  # noqa: S105
    with pytest.raises(PolicyError, match=r"HF_TOKEN"):
        huggingface.expand("hf://datasets/me/mine/data/*.parquet")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    forget()
    assert len(huggingface.expand("hf://datasets/me/mine/data/*.parquet")) == 2


def test_a_hub_that_goes_away_puts_the_work_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr(store, "open_read", lambda _: (_ for _ in ()).throw(HTTPError("no way there")))
    with pytest.raises(RetryLaterError, match=r"hf://datasets/me/mine/x.parquet: .*no way there; run again later"):
        remote.open_read("hf://datasets/me/mine/x.parquet")
    assert len(pauses) == remote.TRIES - 1


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_filesystem", lambda _: (_ for _ in ()).throw(MissingExtraError("hf://", "hf")))
    with pytest.raises(MissingExtraError, match=r"witbuild\[hf\]"):
        huggingface.expand("hf://datasets/me/mine/x.parquet")


@pytest.mark.slow
def test_the_command_reads_from_the_hub_of_the_environment(tmp_path: Path) -> None:
    with Hub(SETS, token="hf_secret") as hub:  # noqa: S106
        own = {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": "hf_secret",
            "HF_HOME": str(tmp_path),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        name = "hf://datasets/me/mine/data/*.parquet"
        done = witbuild("harvest", "--source", "urls", "--inputs", name, "--out", "run", cwd=tmp_path, **own)
    assert done.returncode == 0, done.stderr
    assert sum(pq.read_table(part).num_rows for part in (tmp_path / "run").glob("01-harvest/pairs/*")) == 700
