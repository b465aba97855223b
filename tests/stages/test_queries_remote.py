"""The inputs of the query list over HTTP and from an object store: the same list as from a disk."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from importlib import resources
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.files_server import FileServer
from tests.sources.test_cirrus import ACTION, DOG
from tests.stages.test_queries import build, rows
from witbuild.errors import InputError, RetryLaterError
from witbuild.io import store
from witbuild.sources import corpus
from witbuild.web import remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DUMP = (resources.files("witbuild") / "data" / "enwiki-sample.xml.bz2").read_bytes()
LEXICON = b"""<LexicalResource><Lexicon><LexicalEntry id="e"><Lemma writtenForm="ice cream"/>
<Sense id="t" synset="s"/></LexicalEntry><Synset id="s" partOfSpeech="n" members="e"/></Lexicon></LexicalResource>"""


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"title": ["Dog"], "text": ["a red dog and a red cat"]}), out)
    return out.getvalue()


FILES = {
    "/dump.xml.bz2": DUMP,
    "/wiki.parquet": parquet(),
    "/wiki-cirrussearch-content.json.gz": gzip.compress(f"{json.dumps(ACTION)}\n{json.dumps(DOG)}\n".encode()),
    "/pageviews-20240101-000000.gz": gzip.compress(b"en Red_dog 99 0\n"),
    "/words.txt": b"dog 9\ncat 8\n",
    "/list.txt": b"tree house\n",
    "/lexicon.xml": LEXICON,
}
INPUTS: list[dict[str, str]] = [
    {"wikipedia": "/dump.xml.bz2", "pageviews": "/pageviews-20240101-000000.gz"},
    {"wikipedia": "/wiki.parquet"},
    {"wikipedia": "/wiki-cirrussearch-content.json.gz"},
    {"word_counts": "/words.txt", "lists": "/list.txt", "wordnet": "/lexicon.xml"},
]


@pytest.fixture(params=["http", "memory"])
def place(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Where the files lie: path -> URL."""
    if request.param == "http":
        with FileServer(FILES) as server:
            yield server.url
        return
    root = f"memory://{uuid.uuid4().hex}"
    for path, content in FILES.items():
        store.commit_bytes(f"{root}{path}", content)
    yield lambda path: f"{root}{path}"
    store.remove(root)


def parameters(inputs: dict[str, str], place: Callable[[str], str]) -> dict[str, Any]:
    values = {name: place(path) if name == "wordnet" else [place(path)] for name, path in inputs.items()}
    return {"min_count": 1, "min_bigram_count": 1, "min_bigram_word_count": 1, "synsets": "wordnet" in inputs, **values}


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda inputs: "-".join(inputs.values()))
def test_the_list_is_the_same_as_from_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: dict[str, str], place: Callable[[str], str]
) -> None:
    monkeypatch.setattr(corpus, "RANGE_BYTES", 100_000)
    for path, content in FILES.items():
        (tmp_path / path[1:]).write_bytes(content)
    local = build(tmp_path / "local", **parameters(inputs, lambda path: f"{tmp_path}{path}"))
    assert rows(build(tmp_path / "away", **parameters(inputs, place))) == rows(local)


def test_a_range_of_a_dump_is_fetched_without_the_rest() -> None:
    with FileServer({"/dump.xml.bz2": DUMP * 40}) as server:
        url = server.url("/dump.xml.bz2")
        stream = remote.open_read(url)
        stream.seek(len(DUMP) * 20)
        assert stream.read(9) == DUMP[:9]
        assert server.octets < len(DUMP) * 30


def test_a_busy_server_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FIRST_PAUSE_SECONDS", 0.01)
    with FileServer(FILES, refusals=3) as server:
        run = build(tmp_path, word_counts=[server.url("/words.txt")], min_count=1)
    assert [row["query"] for row in rows(run)] == ["dog", "cat"]
    assert server.requests > 3


def test_a_server_that_stays_busy_leaves_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FIRST_PAUSE_SECONDS", 0.001)
    with FileServer(FILES, refusals=99) as server, pytest.raises(RetryLaterError, match=r"words\.txt: HTTP status 503"):
        build(tmp_path, word_counts=[server.url("/words.txt")], min_count=1)
    assert [path for path in tmp_path.rglob("*.parquet") if "scratch" not in path.parts] == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path, place: Callable[[str], str]) -> None:
    with pytest.raises(InputError, match=r"nothing\.txt: no such file|nothing\.txt"):
        build(tmp_path, word_counts=[place("/nothing.txt")], min_count=1)
