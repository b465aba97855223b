"""Three kinds of file, one stream of plain texts and redirects."""

from __future__ import annotations

import bz2
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.dump import dump, page
from tests.sources.test_cirrus import ACTION
from witbuild.errors import InputError
from witbuild.sources import corpus, plain

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [f"Article {number} is about dogs.\nThey bark." for number in range(20)]


def parquet(path: Path, texts: list[str | None], **more: Any) -> str:
    pq.write_table(pa.table({"title": [f"T{i}" for i in range(len(texts))], "text": texts}), path, **more)
    return str(path)


def content(path: str) -> tuple[list[str], list[tuple[str, str]], dict[str, int]]:
    dropped: Counter[str] = Counter()
    batches = [batch for part in corpus.ranges(path) for batch in corpus.read(part, dropped)]
    texts = [
        batch.texts.data[start:stop].tobytes().decode()
        for batch in batches
        for start, stop in zip(batch.texts.offsets, batch.texts.offsets[1:], strict=False)
    ]
    return texts, [pair for batch in batches for pair in batch.redirects], dict(dropped)


def test_every_kind_gives_the_same_texts(tmp_path: Path) -> None:
    pages = [page(f"T{number}", text) for number, text in enumerate(TEXTS)]
    xml = tmp_path / "wiki.xml.bz2"
    xml.write_bytes(bz2.compress(dump(*pages, page("Dogs", "#REDIRECT", redirect="Dog"))))
    lines = [ACTION, {"title": "Dog", "text": TEXTS[0], "redirect": [{"namespace": 0, "title": "Dogs"}]}]
    for text in TEXTS[1:]:
        lines += [ACTION, {"title": "x", "text": text}]
    search = tmp_path / "wiki-cirrussearch-content.json"
    search.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    expected = [f"{text}\n" for text in TEXTS]
    assert content(str(xml)) == (expected, [("Dogs", "Dog")], {})
    assert content(str(search)) == (expected, [("Dogs", "Dog")], {})
    assert content(parquet(tmp_path / "wiki.parquet", [*TEXTS])) == (expected, [], {})


@pytest.mark.parametrize("size", [1, 300, 1 << 26])
def test_ranges_of_row_groups_hold_each_text_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(corpus, "RANGE_BYTES", size)
    path = parquet(tmp_path / "wiki.parquet", [*TEXTS], row_group_size=3)
    parts = list(corpus.ranges(path))
    assert (parts[0].start, parts[-1].stop) == (0, 7)
    assert len(parts) == {1: 7, 1 << 26: 1}.get(size, len(parts))
    assert content(path)[0] == [f"{text}\n" for text in TEXTS]


def test_texts_come_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "BATCH_BYTES", 100)
    monkeypatch.setattr(plain, "_ROWS", 2)
    (part,) = corpus.ranges(parquet(tmp_path / "wiki.parquet", [*TEXTS]))
    assert len(list(corpus.read(part, Counter()))) == 7
    assert content(part.path)[0] == [f"{text}\n" for text in TEXTS]


def test_empty_texts_are_counted(tmp_path: Path) -> None:
    path = parquet(tmp_path / "wiki.parquet", ["dog", None, "", " \n"])
    assert content(path) == (["dog\n"], [], {"empty_page": 3})


def test_a_file_without_texts_is_named_with_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "body": ["x"]}), tmp_path / "wiki.parquet")
    with pytest.raises(InputError, match=r"wiki\.parquet: columns id, body; expected one of strings named text"):
        list(corpus.ranges(str(tmp_path / "wiki.parquet")))


def test_a_broken_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wiki.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"wiki\.parquet: not readable as parquet"):
        list(corpus.ranges(str(path)))
    parquet(path, [f"{number} dogs" for number in range(5000)], compression="zstd", use_dictionary=False)
    whole = path.read_bytes()
    start = pq.read_metadata(path).row_group(0).column(1).data_page_offset
    path.write_bytes(whole[: start + 9] + b"\xff" * 40 + whole[start + 49 :])
    with pytest.raises(InputError, match=r"wiki\.parquet: row groups 0 to 0: "):
        content(str(path))


def test_text_that_is_not_utf8_is_one_text_lost(tmp_path: Path) -> None:
    path = tmp_path / "wiki.parquet"
    parquet(path, [*TEXTS], compression="none", use_dictionary=False, write_statistics=False)
    path.write_bytes(path.read_bytes().replace(b"Article 7", b"\xffrticle 7"))
    texts, _, dropped = content(str(path))
    assert (len(texts), dropped) == (19, {"invalid_utf8": 1})
