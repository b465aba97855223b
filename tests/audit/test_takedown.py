"""Takedown: what is named goes, nothing else changes by a byte, and it does not come back."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fetched import Fetched, jpeg, save
from tests.killing import Killed, killed_at
from witbuild.audit.explain import explain
from witbuild.audit.requests import gather, tombstone
from witbuild.audit.takedown import takedown
from witbuild.cli.app import load
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError, RecipeError
from witbuild.io import redo, tars
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.release.verify import verify
from witbuild.runner import Settings, run_recipe
from witbuild.stages.shard import Shard

LOOKS = {3: 0b1011, 7: 0b1010, 11: 0b1000}
"""Pair -> perceptual hash; the others have one far from these."""


def pairs(count: int = 30) -> list[Fetched]:
    """Hosts h0 to h4; 4 and 9 have one image under two addresses."""
    out = []
    for number in range(count):
        look = LOOKS.get(number, 0xFFFF_0000_0000_0000 ^ (number << 20))
        image = jpeg(4 if number == 9 else number)
        more = {"phash": look, "page_url": f"http://page.test/{number}"}
        out.append(Fetched(f"http://h{number % 5}.test/{number}.jpg", f"a red dog {number}", image, more))
    return out


def build(root: Path, folder: Path, restart_from: str = "", **shard: Any) -> Run:
    inputs = save(folder, [pairs()[:14], pairs()[14:]]) if not folder.exists() else {}
    inputs = inputs or {name: str(folder / name) for name in ("pairs", "images", "queries")}
    recipe = Recipe(stages=(Shard(samples_per_shard=7, slices=2, **shard),), inputs=inputs)
    with LocalEngine(1) as engine:
        return run_recipe(recipe, str(root), engine, Settings(restart_from=restart_from))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    build(folder / "run", folder / "inputs")
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "run", tmp_path / "run"))


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def samples(root: Path) -> dict[str, bytes]:
    """Key -> the bytes of the sample's members, headers and all."""
    out = {}
    for path in sorted((root / "dataset").rglob("*.tar")):
        whole = path.read_bytes()
        for sample in tars.index(str(path)):
            start = min(extent.offset for extent in sample.members.values()) - tars.BLOCK
            size = sum(tars.padded(extent.size) for extent in sample.members.values())
            out[sample.key] = whole[start : start + size]
    return out


def rows_of(run: Run, kind: str) -> list[dict[str, Any]]:
    """The rows of all parquet files of a kind."""
    paths = run.paths(run.newest(kind)[1], kind)
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


KEYS = [pair.key for pair in pairs()]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("key", KEYS[4], {4}),
        ("url", "HTTP://h4.test:80/4.jpg", {4, 9}),
        ("host", "h2.test", {2, 7, 12, 17, 22, 27}),
        ("sha256", hashlib.sha256(b"original " + jpeg(4)).hexdigest(), {4, 9}),
        ("phash", f"{0b1010:016x}", {3, 7, 11}),
    ],
)
def test_what_is_named_goes_and_every_other_byte_stays(run: Path, kind: str, value: str, expected: set[int]) -> None:
    before, old = samples(run), contents(run)
    done = takedown(str(run), [tombstone(kind, value, distance=1)])
    after, new = samples(run), contents(run)
    gone = {KEYS[number] for number in expected}
    assert done.removed == len(expected)
    assert after == {key: content for key, content in before.items() if key not in gone}
    for name, content in old.items():
        if name.endswith(".tar") and not any(key.encode() in content for key in gone):
            assert new[name] == content
        if name.startswith(("01-", "02-")) or name == "recipe.yaml":
            assert new[name] == content
    assert new.keys() - old.keys() == {"tombstones.parquet", "takedown/0001.json", "takedown/0001.parquet"}
    assert not verify(str(run)).differences


def test_lists_sidecars_and_proof_follow(run: Path) -> None:
    before = Run(str(run)).merkle_root()
    done = takedown(str(run), gather({"key": KEYS[:3]}, [], 0))
    index = json.loads((run / "dataset/index.json").read_text())
    sizes = json.loads((run / "dataset/data/sizes.json").read_text())
    for row in index["shards"]:
        path = run / "dataset" / row["path"]
        keys = [sample.key for sample in tars.index(str(path))]
        assert pq.read_table(run / "dataset" / row["metadata"])["key"].to_pylist() == keys
        assert (row["bytes"], row["sha256"]) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        assert row["samples"] == sizes[row["shard"]] == len(keys)
    assert index["splits"]["train"]["samples"] == 27
    proof = json.loads(Path(done.proof).read_text())
    assert proof["root"] == {"before": before, "after": Run(str(run)).merkle_root()} and done.root != before
    assert sorted(pq.read_table(run / proof["keys"])["key"].to_pylist()) == sorted(KEYS[:3])
    for shard in proof["shards"]:
        assert shard["after"]["sha256"] == hashlib.sha256((run / shard["path"]).read_bytes()).hexdigest()
        assert shard["before"]["samples"] > shard["after"]["samples"]
    assert len(proof["shards"]) + proof["unchanged"]["shards"] == len(index["shards"])


def test_it_is_the_set_that_a_build_with_the_tombstones_gives(made: Path, run: Path) -> None:
    takedown(str(run), gather({"host": ["h2.test"], "url": ["http://h4.test/4.jpg"]}, [], 0))
    left = samples(run)
    again = build(run, made / "inputs", restart_from="shard")
    assert samples(run) == left
    assert again.manifests()[0][1].dropped == {"taken_down": 8}


def test_the_same_command_does_not_undo_it(made: Path, run: Path) -> None:
    takedown(str(run), [tombstone("host", "h2.test")])
    after = contents(run)
    build(run, made / "inputs")
    assert contents(run) == after


@pytest.mark.parametrize("shard", [{"format": "parquet"}, {"layout": "img2dataset"}])
def test_other_formats_and_layouts(made: Path, tmp_path: Path, shard: dict[str, str]) -> None:
    run = build(tmp_path / "run", made / "inputs", **shard)
    takedown(run.root, [tombstone("host", "h2.test")])
    gone = {KEYS[number] for number in (2, 7, 12, 17, 22, 27)}
    found = [
        key
        for path in run.paths(run.newest("sidecars")[1], "sidecars")
        for key in pq.read_table(path)["key"].to_pylist()
    ]
    assert set(found) == set(KEYS) - gone
    if "format" in shard:
        rows = [
            row for path in run.paths(run.newest("parquets")[1], "parquets") for row in pq.read_table(path).to_pylist()
        ]
        images = {pair.key: pair.image for pair in pairs()}
        assert {row["key"]: row["image"]["bytes"] for row in rows} == {key: images[key] for key in set(KEYS) - gone}
        scratch = rows_of(build(tmp_path / "scratch", made / "inputs", **shard), "parquets")
        assert rows == [row for row in scratch if row["key"] not in gone]
    else:
        counts = [json.loads(path.read_text())["count"] for path in Path(run.root, "dataset").glob("*_stats.json")]
        assert sum(counts) == len(KEYS) - len(gone)
    assert not verify(run.root).differences


def test_a_shard_may_become_empty(run: Path) -> None:
    index = json.loads((run / "dataset/index.json").read_text())
    first = run / "dataset" / index["shards"][0]["path"]
    keys = [sample.key for sample in tars.index(str(first))]
    takedown(str(run), gather({"key": keys}, [], 0))
    assert tars.index(str(first)) == [] and first.stat().st_size == tars.total(0)
    assert len(samples(run)) == len(KEYS) - len(keys)


@pytest.mark.parametrize("moment", [0, 3, 9, 14])
def test_killed_midway_it_is_whole_or_nothing(run: Path, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(run)
    with killed_at(monkeypatch, moment), pytest.raises(Killed):
        takedown(str(run), [tombstone("host", "h2.test")])
    assert redo.pending(str(run))
    load("takedown").main([str(run)], standalone_mode=False)
    assert len(samples(run)) == len(KEYS) - 6
    assert not verify(str(run)).differences
    assert contents(run).keys() - before.keys() == {"tombstones.parquet", "takedown/0001.json", "takedown/0001.parquet"}


def test_a_failure_before_the_decision_leaves_the_run_as_it_was(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(run)
    monkeypatch.setattr("witbuild.audit.removal.Removal.prove", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        takedown(str(run), [tombstone("host", "h2.test")])
    assert contents(run) == before


def test_twice_is_refused_and_a_second_one_adds_up(run: Path) -> None:
    takedown(str(run), [tombstone("key", KEYS[0])])
    with pytest.raises(RecipeError, match="nothing to take down"):
        takedown(str(run), [tombstone("key", KEYS[0])])
    done = takedown(str(run), [tombstone("key", KEYS[1])])
    assert done.proof.endswith("0002.json") and len(samples(run)) == len(KEYS) - 2
    assert explain(str(run), KEYS[1]).verdict == f"taken down: --key {KEYS[1]}"


def test_what_is_not_there_is_barred_all_the_same(run: Path) -> None:
    before = samples(run)
    done = takedown(str(run), [tombstone("url", "http://later.test/")])
    assert (done.removed, done.shards, done.tombstones) == (0, 0, 1)
    assert samples(run) == before and not verify(str(run)).differences


def test_lists_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"# asked for on a Monday\n\nurl http://a.test/ü\nkey {KEYS[0]}\n")
    assert [row["value"] for row in gather({}, [str(path)], 0)] == ["http://a.test/%C3%BC", KEYS[0]]
    path.write_text("url http://a.test/\nsha256 zz\n")
    with pytest.raises(InputError, match=r"list.txt:2: --sha256 'zz': expected 64 hexadecimal digits"):
        gather({}, [str(path)], 0)
    path.write_text("http://a.test/\n")
    with pytest.raises(InputError, match=r"list.txt:1: found 'http://a.test/', expected `kind value`"):
        gather({}, [str(path)], 0)


@pytest.mark.parametrize(
    ("kind", "value"), [("url", "a.test"), ("host", "http://a.test/"), ("phash", "123"), ("key", "")]
)
def test_a_value_of_another_kind_is_refused(kind: str, value: str) -> None:
    with pytest.raises(InputError, match=f"--{kind}"):
        tombstone(kind, value)


def test_a_run_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run directory"):
        takedown(str(tmp_path), [tombstone("key", KEYS[0])])


def test_the_command_releases_again_what_was_released(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from witbuild.release.publish import release

    old = release(str(run))
    load("takedown").main([str(run), "--host", "h2.test"], standalone_mode=False)
    assert "6 pairs removed" in capsys.readouterr().out
    verdict = verify(str(run))
    assert not verdict.differences and verdict.root != old
