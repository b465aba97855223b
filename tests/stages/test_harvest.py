"""The stage `harvest`: every source to the same table, on inputs made here and on real ones."""

from __future__ import annotations

import gzip
import json
import math
import pickle
from collections import Counter
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tests.warcs import bodies, packed, page, record
from witbuild.errors import InputError, RecipeError
from witbuild.schema import PAIRS
from witbuild.sources import SOURCES, source_class
from witbuild.sources.presets import PRESETS
from witbuild.stages.harvest import Harvest, Preset


def parts(**parameters: Any) -> list[tuple[pa.Table, dict[str, int]]]:
    stage = Harvest(**parameters)
    done = [stage.process(pickle.loads(pickle.dumps(task))) for task in stage.plan({})]  # noqa: S301
    return [(part.table, dict(part.dropped)) for part in done]


def harvest(**parameters: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    rows: list[dict[str, Any]] = []
    dropped: Counter[str] = Counter()
    for table, lost in parts(**parameters):
        assert table.schema.equals(PAIRS)
        rows += table.to_pylist()
        dropped.update(lost)
    return rows, dict(dropped)


def save(path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def test_the_stage_knows_every_source_and_preset() -> None:
    assert get_args(Harvest.model_fields["source"].annotation) == tuple(SOURCES)
    assert get_args(Preset) == tuple(PRESETS)
    for name in SOURCES:
        assert {field.name for field in fields(source_class(name))} <= Harvest.model_fields.keys()


@pytest.mark.parametrize("wrong", [{"source": "ftp"}, {"inputs": []}, {"shards": -1}, {"depth": 1}, {"preset": "x"}])
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Harvest(**{"source": "warc", "inputs": ["x"], **wrong})


@pytest.mark.parametrize("source", ["warc", "wat", "urls"])
def test_an_input_that_is_not_there_is_named(source: str) -> None:
    with pytest.raises(InputError, match=r"no-such-file"):
        harvest(source=source, inputs=["no-such-file*"])


# ── archives ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_warc_files_become_tasks(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / f"{number}.warc.gz", packed(page(f"<img src=/{number}.jpg alt=x>")))
    inputs = [str(tmp_path / "*.warc.gz")]
    whole = parts(source="warc", inputs=inputs, shards=2)
    assert [table.num_rows for table, _ in whole] == [3, 2]
    assert len(parts(source="warc", inputs=inputs)) == 5
    urls = [url for table, _ in whole for url in table["url"].to_pylist()]
    assert urls == [f"http://a.test/{number}.jpg" for number in range(5)]


def test_a_list_of_paths_names_archives(tmp_path: Path) -> None:
    save(tmp_path / "mirror" / "crawl" / "1.warc.gz", packed(page("<img src=a alt=x>")))
    listed = save(tmp_path / "warc.paths.gz", gzip.compress(b"crawl/1.warc.gz\n\n"))
    rows, _ = harvest(source="warc", inputs=[listed], root=f"{tmp_path}/mirror/")
    assert [row["source_file"] for row in rows] == ["1.warc.gz"]


def test_the_name_of_a_crawl_names_its_list(tmp_path: Path) -> None:
    save(tmp_path / "x.wat.gz", packed(record(b"{}", kind="metadata")))
    save(tmp_path / "crawl-data" / "CC-MAIN-2024-22" / "wat.paths.gz", gzip.compress(b"x.wat.gz"))
    stage = Harvest(source="wat", inputs=["cc://CC-MAIN-2024-22"], root=f"{tmp_path}/")
    (task,) = stage.plan({})
    assert task.sources["input"] == (f"{tmp_path}/x.wat.gz",)


def test_a_broken_list_of_paths_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"warc\.paths\.gz"):
        harvest(source="warc", inputs=[save(tmp_path / "warc.paths.gz", b"\x1f\x8b no")])


def test_whatever_is_no_page_is_passed_over(tmp_path: Path) -> None:
    image = "<img src=a alt=x>"
    archive = packed(
        page(image, "http://a.test/1"),
        page(image, "http://a.test/2").replace(b"200 X", b"404 X"),
        page(image, "http://a.test/3").replace(b"text/html", b"text/text"),
        record(image.encode(), "http://a.test/4", "resource", "text/html"),
        record(image.encode(), "http://a.test/5", "metadata", "text/html"),
        page(image, "urn:uuid:7"),
    )
    rows, dropped = harvest(source="warc", inputs=[save(tmp_path / "x.warc.gz", archive)])
    assert [row["page_url"] for row in rows] == ["http://a.test/1"]
    assert dropped == {"bad_page_url": 1, "same_key": 1}


def test_pages_that_cannot_be_read_cost_themselves(tmp_path: Path) -> None:
    archive = packed(
        page("<frameset>" + "<div>" * 200_000),
        page("\0\0 no gzip", Content_Encoding="gzip"),
        page("x" * 40_000_000),
        page("<img src=a alt=x>"),
    )
    rows, dropped = harvest(source="warc", inputs=[save(tmp_path / "x.warc.gz", archive)])
    assert len(rows) == 1
    assert dropped == {"page_too_complex": 1, "bad_page_encoding": 1, "record_too_large": 1}


def test_a_file_that_is_no_archive_is_counted(tmp_path: Path) -> None:
    rows, dropped = harvest(source="warc", inputs=[save(tmp_path / "x.warc.gz", b"no archive")])
    assert (rows, dropped) == ([], {"not_an_archive": 1})


def test_wat_and_warc_of_a_page_give_the_same_pairs(tmp_path: Path) -> None:
    body = "<base href=/b/><img src=i.jpg alt='the alt' title='the title'><img src=//c.test/j.png alt=j><img alt=none>"
    links = [
        {"path": "IMG@/src", "url": "i.jpg", "alt": "the alt", "title": "the title"},
        {"path": "IMG@/src", "url": "//c.test/j.png", "alt": "j"},
        {"path": "IMG@/src", "alt": "none"},
    ]
    packed_page = packed(page(body, "http://a.test/p"))
    told = {
        "Container": {
            "Filename": "x.warc.gz",
            "Offset": "0",
            "Gzip-Metadata": {"Deflate-Length": str(len(packed_page))},
        },
        "Envelope": {
            "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": "http://a.test/p"},
            "Payload-Metadata": {
                "HTTP-Response-Metadata": {
                    "Response-Message": {"Status": "200"},
                    "HTML-Metadata": {"Head": {"Base": "/b/"}, "Links": links},
                }
            },
        },
    }
    wat = packed(record(json.dumps(told).encode(), "http://a.test/p", "metadata"))
    from_warc = harvest(source="warc", inputs=[save(tmp_path / "x.warc.gz", packed_page)])
    from_wat = harvest(source="wat", inputs=[save(tmp_path / "x.wat.gz", wat)])
    assert [{**row, "source": ""} for row in from_warc[0]] == [{**row, "source": ""} for row in from_wat[0]]
    assert from_warc[1] == from_wat[1] == {"no_url": 1}
    assert len(from_warc[0]) == 3


def test_a_wat_record_that_is_no_json_costs_itself(tmp_path: Path) -> None:
    rows, dropped = harvest(source="wat", inputs=[save(tmp_path / "x.wat.gz", packed(record(b"{", kind="metadata")))])
    assert (rows, dropped) == ([], {"bad_record": 1})


# ── URL lists ───────────────────────────────────────────────────────────────────────────────────────────────────────

PAIR = {"url": "http://a.test/1.jpg", "caption": "a square"}
LISTS = {
    "laion": ("x.parquet", {"URL": PAIR["url"], "TEXT": PAIR["caption"], "WIDTH": 3.0, "LICENSE": "?"}),
    "datacomp": ("x.parquet", {"url": PAIR["url"], "text": PAIR["caption"], "original_width": 3, "sha256": "A" * 64}),
    "coyo": ("x.parquet", {"id": 1, "url": PAIR["url"], "text": PAIR["caption"], "width": 3}),
    "cc3m": ("x.tsv", "a square\thttp://a.test/1.jpg\n"),
    "cc12m": ("x.tsv", "http://a.test/1.jpg\ta square\n"),
    "sbu": ("x.json", json.dumps({"image_urls": [PAIR["url"]], "captions": [PAIR["caption"]], "info": 1})),
    "redcaps": ("x.json", json.dumps({"info": {}, "annotations": [{"url": PAIR["url"], "raw_caption": "a square"}]})),
    "yfcc15m": ("x.jsonl", json.dumps({"downloadurl": PAIR["url"], "title": "a square", "licenseurl": "L"}) + "\n"),
    "wit": ("x.tsv.gz", "language\timage_url\tcaption_reference_description\nen\thttp://a.test/1.jpg\ta square\n"),
    "auto": ("x.csv", 'Text,Image_URL\n"a square",http://a.test/1.jpg\n'),
}


def write(path: Path, content: Any) -> str:
    if isinstance(content, dict):
        pq.write_table(pa.Table.from_pylist([content]), path)
        return str(path)
    return save(path, gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())


@pytest.mark.parametrize("preset", LISTS)
def test_the_columns_of_published_lists(preset: str, tmp_path: Path) -> None:
    name, content = LISTS[preset]
    rows, dropped = harvest(source="urls", preset=preset, inputs=[write(tmp_path / name, content)])
    assert dropped == {}
    assert [(row["url"], row["caption"], row["caption_source"]) for row in rows] == [(*PAIR.values(), "list")]


def test_what_a_list_carries_travels_with_the_pair(tmp_path: Path) -> None:
    row = {
        "url": "http://a.test/",
        "text": "x",
        "md5": "A" * 32,
        "sha256": "zz",
        "width": "640",
        "height": -1,
        "lang": "en",
    }
    (found,), _ = harvest(source="urls", inputs=[write(tmp_path / "x.parquet", row)])
    assert (found["expected_md5"], found["expected_sha256"]) == ("a" * 32, None)
    assert (found["width"], found["height"], found["language"]) == (640, None, "en")


SCORES: dict[str, tuple[dict[str, Any], tuple[float | None, ...]]] = {
    "laion": ({"similarity": 0.31, "punsafe": 0.02, "pwatermark": 0.7, "AESTHETIC_SCORE": 5.5}, (0.31, 0.02, 0.7, 5.5)),
    "coyo": (
        {"clip_similarity_vitb32": 0.25, "nsfw_score_opennsfw2": "0.5", "watermark_score": 0.125},
        (0.25, 0.5, 0.125, None),
    ),
    "datacomp": (
        {"clip_b32_similarity_score": 0.1, "clip_l14_similarity_score": 0.25, "punsafe": float("nan")},
        (0.25, None, None, None),
    ),
}


@pytest.mark.parametrize("preset", SCORES)
def test_the_scores_that_a_list_carries(preset: str, tmp_path: Path) -> None:
    columns, scores = SCORES[preset]
    row = {"url": "http://a.test/", "text": "x", **columns}
    (found,), _ = harvest(source="urls", preset=preset, inputs=[write(tmp_path / "x.parquet", row)])
    names = ("clip_score", "unsafe_score", "watermark_score", "aesthetic_score")
    assert tuple(found[name] for name in names) == tuple(pytest.approx(score) for score in scores)


REDDIT = {"url": "https://i.redd.it/1.jpg", "title": "My dog", "permalink": "/r/dogs/comments/1/my_dog/"}


def test_conditions_on_the_rows_of_a_list(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = [
        {"score": 2, "over_18": False},
        {"score": 1},
        {"score": 10, "over_18": True},
        {"score": "many"},
        {},
        {"score": 3},
    ]
    lines = "".join(
        json.dumps({**REDDIT, "url": f"https://i.redd.it/{number}.jpg", **more}) + "\n"
        for number, more in enumerate(told)
    )
    path, where = write(tmp_path / "x.jsonl", lines), ["score >= 2", "over_18 != true"]
    rows, dropped = harvest(source="urls", preset="redcaps", inputs=[path], where=where)
    assert [row["url"] for row in rows] == ["https://i.redd.it/0.jpg", "https://i.redd.it/5.jpg"]
    assert rows[0]["page_url"] == "https://www.reddit.com/r/dogs/comments/1/my_dog/"
    assert dropped == {"where_score": 3, "where_over_18": 1}


def test_conditions_ask_for_columns_that_no_pair_has(tmp_path: Path) -> None:
    row = {"URL": "http://a.test/", "TEXT": "x", "NSFW": "UNLIKELY"}
    path = write(tmp_path / "x.parquet", row)
    assert len(harvest(source="urls", inputs=[path], where=["NSFW == unlikely"])[0]) == 1
    assert harvest(source="urls", inputs=[path], where=["NSFW == nsfw"]) == ([], {"where_nsfw": 1})
    with pytest.raises(RecipeError, match="'NSFW' is no condition; expected COLUMN, one of >=, <="):
        harvest(source="urls", inputs=[path], where=["NSFW"])


def test_columns_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "a,b\nhttp://a.test/,x\n")
    rows, _ = harvest(source="urls", inputs=[path], url_column="A", caption_column="b")
    assert [row["caption"] for row in rows] == ["x"]
    with pytest.raises(InputError, match=r"expected one of the columns .*, found a, b; name one with url_column"):
        harvest(source="urls", inputs=[path])


def test_columns_of_any_name_are_carried(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv", 'url,caption,Photo_ID,note\nhttp://a.test/1,x,7, é  "q"\u202e\nhttp://a.test/2,y,,\n'
    )
    rows, _ = harvest(source="urls", inputs=[path], carry=["note", "photo_id"])
    assert [row["carried"] for row in rows] == ['{"note":"é \\"q\\"","photo_id":"7"}', None]
    assert harvest(source="urls", inputs=[path])[0][0]["carried"] is None
    with pytest.raises(InputError, match=r"carry names nothing, and the list has no such column"):
        harvest(source="urls", inputs=[path], carry=["note", "nothing"])


def test_values_of_any_type_are_carried_or_left_out(tmp_path: Path) -> None:
    row = {"url": "http://a.test/", "caption": "x"}
    known = {"Float": 0.5, "int": 7, "true": True, "day": date(2024, 5, 1), "bytes": b"b", "long": "x" * 9_999}
    odd = {"nan": math.nan, "list": ["x"], "none": None, "struct": {"a": 1}}
    path = write(tmp_path / "x.parquet", {**row, **known, **odd})
    rows, _ = harvest(source="urls", inputs=[path], carry=[*known, *odd])
    expected = known | {"day": "2024-05-01", "bytes": "b", "long": "x" * 1_000}
    assert json.loads(rows[0]["carried"]) == expected


def test_rows_of_json_may_each_have_other_columns(tmp_path: Path) -> None:
    lines = [
        {"url": f"http://a.test/{i}", "caption": "x", **more} for i, more in enumerate([{}, {"n": 10**400}, {"n": 2}])
    ]
    path = write(tmp_path / "x.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    rows, dropped = harvest(source="urls", inputs=[path], carry=["n"])
    assert ([row["carried"] for row in rows], dropped) == ([None, None, '{"n":2}'], {})


def test_bad_rows_cost_themselves(tmp_path: Path) -> None:
    text = "url,caption\nhttp://a.test/1,one\nonly one field\n,two\ndata:x,three\nhttp://a.test/4,\nno url,five\nhttp://a.test/1,one\n"
    rows, dropped = harvest(source="urls", inputs=[write(tmp_path / "x.csv", text)])
    assert [row["source_offset"] for row in rows] == [0]
    assert dropped == {"bad_row": 1, "no_url": 1, "data_url": 1, "no_caption": 1, "bad_url": 1, "same_key": 1}


def test_bad_lines_of_json_cost_themselves(tmp_path: Path) -> None:
    text = '{"url": "http://a.test/1", "text": "x"}\n{\n[]\n\n{"url": 3, "text": "x"}\n'
    rows, dropped = harvest(source="urls", inputs=[write(tmp_path / "x.jsonl", text)])
    assert (len(rows), dropped) == (1, {"bad_row": 2, "no_url": 1})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.parquet", b"PAR1 no"),
        ("x.csv.gz", b"no gzip"),
        ("x.tsv.gz", gzip.compress(b"a\tb\n" * 99, mtime=0)[:-9]),
        ("x.json", b"{"),
        ("x.xml", b""),
    ],
)
def test_a_file_that_is_no_list_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        harvest(source="urls", inputs=[save(tmp_path / name, content)], url_column="a", caption_column="b")


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
@pytest.mark.parametrize("shards", [1, 2, 5, 16])
def test_pieces_of_a_list_are_the_list(name: str, shards: int, tmp_path: Path) -> None:
    rows = [{"url": f"http://a.test/{number}", "text": "x"} for number in range(5_000)]
    if name == "x.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name, row_group_size=700)
    else:
        write(tmp_path / name, "url,text\n" + "".join(f"{row['url']},x\n" for row in rows))
    found = parts(source="urls", inputs=[str(tmp_path / name)], shards=shards)
    assert len(found) == shards
    numbers = [number for table, _ in found for number in table["source_offset"].to_pylist()]
    assert sorted(numbers) == list(range(5_000))
    assert all(
        table["url"].to_pylist() == [f"http://a.test/{n}" for n in table["source_offset"].to_pylist()]
        for table, _ in found
    )


def test_the_tasks_share_the_limit(tmp_path: Path) -> None:
    text = "url,text\n" + "".join(f"http://a.test/{number},x\n" for number in range(5_000))
    found = parts(source="urls", inputs=[write(tmp_path / "x.csv", text)], shards=2, limit=7)
    assert [table.num_rows for table, _ in found] == [3, 4]


def test_hostile_lists_are_read_or_refused(shared_hostile: dict[str, bytes], tmp_path: Path) -> None:
    for name, body in shared_hostile.items():
        ending = {"json": "json", "csv": "csv"}.get(name.rpartition(".")[2])
        if ending:
            try:
                harvest(source="urls", inputs=[save(tmp_path / f"x.{ending}", body)])
            except InputError as error:
                assert f"x.{ending}" in str(error)  # noqa: PT017


# ── folders ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_html_files_are_pages_under_a_base_url(tmp_path: Path) -> None:
    save(tmp_path / "docs" / "a" / "p q.html", b"<img src=../i.png alt=x>")
    save(tmp_path / "docs" / "notes.txt", b"<img src=no.png alt=x>")
    rows, _ = harvest(source="html", inputs=[str(tmp_path / "docs")], base_url="http://docs.test/d")
    assert [(row["url"], row["page_url"], row["source_file"]) for row in rows] == [
        ("http://docs.test/d/i.png", "http://docs.test/d/a/p%20q.html", "a/p q.html")
    ]


def test_images_have_their_text_beside_them(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.JPG", "3.png", "t/4.jpg"):
        save(tmp_path / name, b"")
    save(tmp_path / "a" / "1.txt", b" one\n")
    save(tmp_path / "t" / "metadata.jsonl", b'{"file_name": "4.jpg", "text": "four"}\n{}\n')
    rows, dropped = harvest(source="folder", inputs=[str(tmp_path)], base_url="http://f.test/")
    assert [(row["url"], row["caption"]) for row in rows] == [
        ("http://f.test/a/1.jpg", "one"),
        ("http://f.test/t/4.jpg", "four"),
    ]
    assert dropped == {"no_caption": 2, "bad_row": 1}


def test_shards_of_a_folder_are_the_folder(tmp_path: Path) -> None:
    for number in range(40):
        save(tmp_path / f"{number}.html", f"<img src={number}.png alt=x>".encode())
    whole = parts(source="html", inputs=[str(tmp_path)], base_url="http://d.test/")
    cut = parts(source="html", inputs=[str(tmp_path)], base_url="http://d.test/", shards=4)
    assert all(table.num_rows for table, _ in cut)
    urls = [url for table, _ in cut for url in table["url"].to_pylist()]
    assert sorted(urls) == sorted(whole[0][0]["url"].to_pylist())


def test_a_folder_needs_to_know_where_it_is_served(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"base_url: found ''"):
        harvest(source="html", inputs=[str(tmp_path)])


# ── real inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_real_main_page(shared: Path) -> None:
    path = shared / "warc" / "main-page.warc.gz"
    rows, dropped = harvest(source="warc", inputs=[str(path)])
    assert (len(rows), dropped) == (17, {})
    assert {row["caption_source"] for row in rows} == {"alt"}
    served = bodies(path)
    assert all(served[row["url"]][0].startswith("image/") for row in rows)


def test_the_real_archive_of_eleven_pages(shared: Path) -> None:
    rows, dropped = harvest(source="warc", inputs=[str(shared / "warc" / "IAH-urls-wget.warc.gz")])
    assert [row["caption_source"] for row in rows] == ["alt"] * 14
    assert dropped == {"same_key": 46 - 14, "no_caption": 50 - 46}


def test_the_real_page_of_common_crawl(shared: Path) -> None:
    rows, dropped = harvest(source="warc", inputs=[str(shared / "whirlwind" / "whirlwind.warc.gz")])
    found = Counter(row["caption_source"] for row in rows)
    assert dropped == {"no_caption": 13 - 7}
    assert len({row["caption"] for row in rows if row["caption_source"] == "alt"}) == 7
    assert found["og"] == 3
    assert {(row["source_offset"], row["source_length"]) for row in rows} == {(1023, 17351)}


def test_the_real_wat_holds_a_request_and_no_page(shared: Path) -> None:
    assert harvest(source="wat", inputs=[str(shared / "whirlwind" / "whirlwind.warc.wat.gz")]) == ([], {})


def test_a_real_wat_record_in_an_archive(shared: Path, tmp_path: Path) -> None:
    block = (shared / "warc" / "wat_record_01marocain_2016.json").read_bytes()
    archive = save(tmp_path / "x.wat.gz", packed(record(block, "http://01marocain.online.fr/", "metadata")))
    assert harvest(source="wat", inputs=[archive]) == ([], {"no_caption": 1})


def test_the_real_rows_of_laion(shared: Path) -> None:
    path = str(shared / "lists" / "laion_10000.parquet")
    rows, dropped = harvest(source="urls", preset="laion", inputs=[path])
    assert dropped == {"bad_encoding": 6, "bad_url": 1, "caption_cut": 1}
    assert len(rows) == 10_000 - 6 - 1
    assert sum(len(row["caption"]) == 2_000 for row in rows) == 1
    cut, lost = harvest(source="urls", preset="laion", inputs=[path], shards=7)
    assert {row["key"] for row in cut} == {row["key"] for row in rows}
    assert lost == dropped


def test_the_same_input_gives_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    copy = save(tmp_path / "elsewhere" / "main-page.warc.gz", (shared / "warc" / "main-page.warc.gz").read_bytes())
    (one,), (two,) = (
        parts(source="warc", inputs=[str(shared / "warc" / "main-page.warc.gz")]),
        parts(source="warc", inputs=[copy]),
    )
    assert one[0].equals(two[0])


DOCUMENTATION = {
    "gimp-help-en": (Path("/usr/share/gimp/2.0/help"), 600, 1_500),
    "python-skimage-doc": (Path("/usr/share/doc/python-skimage-doc/html"), 150, 400),
}
"""Debian package -> its HTML, and at least how many pages and pairs it has."""


@pytest.mark.parametrize("package", DOCUMENTATION)
def test_real_documentation_names_images_that_are_there(package: str) -> None:
    folder, pages, pairs = DOCUMENTATION[package]
    if not folder.is_dir():
        pytest.skip(f"the Debian package {package} is not installed")
    rows, _ = harvest(source="html", inputs=[str(folder)], base_url="http://docs.test/", shards=3)
    assert len({row["page_url"] for row in rows}) >= pages // 2
    assert len(rows) >= pairs
    local = [
        folder / unquote(row["url"].removeprefix("http://docs.test/")) for row in rows if "docs.test" in row["url"]
    ]
    assert len(local) > 0.9 * len(rows)
    assert sum(path.is_file() for path in local) > 0.99 * len(local)
