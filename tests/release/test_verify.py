"""Verify: every bit counts, and what it belongs to is named."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.fetched import some
from tests.stages.test_shard import cut, shard
from witbuild.cli.app import app
from witbuild.errors import InputError, VerificationError
from witbuild.io import tars
from witbuild.release import release, verify
from witbuild.release.samples import END

FLIPS = 200


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    dataset = shard(folder, cut(some(60), 2), samples_per_shard=25, slices=2, val_fraction=0.1)
    release(str(dataset))
    return dataset.parent


@pytest.fixture(scope="module")
def in_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = shard(tmp_path_factory.mktemp("rows"), [some(30)], slices=2, format="parquet")
    release(str(dataset))
    return dataset


@contextmanager
def flipped(path: Path, byte: int, bit: int) -> Iterator[None]:
    """Flip a bit of a file, for a while."""
    whole = path.read_bytes()
    path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 1 << bit]) + whole[byte + 1 :])
    yield
    path.write_bytes(whole)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def test_what_is_whole_verifies(run: Path) -> None:
    dataset, whole = verify(str(run / "dataset")), verify(str(run))
    assert (dataset.differences, whole.differences) == ((), ())
    assert dataset.root == whole.root == release(str(run))
    assert dataset.files == len(files(run / "dataset")) - 1
    assert whole.files > dataset.files


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_every_flipped_bit_of_a_data_set_is_found(run: Path, in_rows: Path, kind: str) -> None:
    dataset = run / "dataset" if kind == "tar" else in_rows
    draw = random.Random(7)
    for number in range(FLIPS):
        path = files(dataset)[number % len(files(dataset))]
        with flipped(path, draw.randrange(path.stat().st_size), draw.randrange(8)):
            found = verify(str(dataset)).differences
        assert [one.path for one in found] == [str(path.relative_to(dataset))], number
    assert verify(str(dataset)).differences == ()


def test_every_flipped_bit_of_a_run_is_found(run: Path) -> None:
    """In tables, records, manifests and the data set; recipe.yaml is what was asked for, and nothing holds it."""
    every = [path for path in files(run) if path.name != "recipe.yaml"]
    draw = random.Random(8)
    for path in [*every, *draw.choices(every, k=50)]:
        with flipped(path, draw.randrange(path.stat().st_size), draw.randrange(8)):
            found = {one.path for one in verify(str(run)).differences}
        assert str(path.relative_to(run)) in found
    assert verify(str(run)).differences == ()


def test_a_record_and_a_manifest_that_differ_are_both_named(run: Path) -> None:
    path = next(run.glob("*-shard.index")) / "manifest.json"
    content = path.read_bytes()
    seconds = b'"seconds": 0.0021\n'  # the total has three decimals: nothing else repeats the fourth
    changed = re.sub(rb'"seconds": [\d.e-]+\n', seconds, content, count=1)
    total = re.sub(rb'"seconds": [\d.e-]+\n}', b'"seconds": 0.002\n}', changed)
    record = path.parent / "done/00000.json"
    said = record.read_bytes()
    record.write_bytes(re.sub(rb'"seconds": [\d.e-]+', b'"seconds": 0.0021', said))
    path.write_bytes(total)
    assert verify(str(run)).differences == ()
    place = total.index(seconds) + seconds.index(b"21") + 1
    with flipped(path, place, 1):
        found = {one.path for one in verify(str(run)).differences}
    assert found == {f"{path.parent.name}/manifest.json", f"{path.parent.name}/done/00000.json"}
    path.write_bytes(content)
    record.write_bytes(said)


def test_the_sample_of_every_flipped_bit_of_a_tar_is_named(run: Path) -> None:
    path = min((run / "dataset" / "data").glob("train-*.tar"))
    index = tars.index(str(path))
    starts = [min(sample.members.values()).offset - 512 for sample in index]
    ends = [*starts[1:], tars.padded(index[-1].members["txt"].size) - 512 + index[-1].members["txt"].offset]
    draw = random.Random(9)
    for byte in [0, 124, 148, starts[3], starts[3] + 130, *(draw.randrange(ends[-1]) for _ in range(60))]:
        with flipped(path, byte, draw.randrange(8)):
            (found,) = verify(str(run / "dataset")).differences
        (expected,) = (one.key for one, start, end in zip(index, starts, ends, strict=True) if start <= byte < end)
        assert found.samples == (expected,)
    with flipped(path, path.stat().st_size - 1, 0):
        assert verify(str(run / "dataset")).differences[0].samples == (END,)
    with flipped(path, starts[5], 0):
        assert verify(str(run)).differences[0].samples == (index[5].key,)


def test_the_sample_of_a_flipped_bit_in_a_parquet_image_is_named(in_rows: Path) -> None:
    path = next((in_rows / "data").glob("*.parquet"))
    row = pq.read_table(path).to_pylist()[4]
    place = path.read_bytes().index(row["image"]["bytes"])
    with flipped(path, place + 20, 3):
        (found,) = verify(str(in_rows)).differences
    assert found.samples == (row["key"],)


def test_a_changed_record_of_the_metadata_is_named(run: Path) -> None:
    path = min((run / "dataset" / "metadata").glob("train-*.parquet"))
    whole, table = path.read_bytes(), pq.read_table(path)
    captions = table["caption"].to_pylist()
    place = table.column_names.index("caption")
    pq.write_table(table.set_column(place, table.field(place), [["other", *captions[1:]]]), path)
    (found,) = verify(str(run / "dataset")).differences
    path.write_bytes(whole)
    assert found.samples == (table["key"][0].as_py(),)


def test_missing_added_and_cut_files_are_named(run: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(run / "dataset", dataset)
    first, second = sorted((dataset / "data").glob("train-*.tar"))[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-600])
    (dataset / "data" / "more.txt").write_text("more")
    found = {one.path: one.what for one in verify(str(dataset)).differences}
    assert found[f"data/{first.name}"] == "missing"
    assert found["data/more.txt"] == "not in the manifest"
    assert "sha256 is" in found[f"data/{second.name}"] and len(found) == 3


def test_what_a_clone_or_a_cache_leaves_is_not_looked_at(run: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(run / "dataset", dataset)
    (dataset / ".git").mkdir()
    for name in (".gitattributes", ".git/config"):
        (dataset / name).write_text("theirs")
    assert verify(str(dataset)).differences == ()
    assert release(str(dataset.parent)) != release(str(run))  # the card has no funnel outside a run
    assert verify(str(dataset)).differences == ()


def test_a_folder_without_a_manifest_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "dataset", tmp_path / "dataset")
    (tmp_path / "dataset" / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"no manifest.json; `witbuild release"):
        verify(str(tmp_path / "dataset"))
    with pytest.raises(InputError, match="neither a run directory nor a data set"):
        verify(str(tmp_path))


def test_the_command_names_what_differs_and_fails_with_4(run: Path) -> None:
    done = CliRunner().invoke(app, ["verify", str(run / "dataset")])
    assert done.exit_code == 0 and "root " in done.stdout
    with flipped(run / "dataset" / "README.md", 9, 1):
        listed = json.loads(CliRunner().invoke(app, ["verify", str(run / "dataset"), "--json"]).stdout)
        done = CliRunner().invoke(app, ["verify", str(run / "dataset")])
    assert "README.md: sha256 is" in done.stdout
    assert [one["path"] for one in listed["differences"]] == ["README.md"]
    assert isinstance(done.exception, VerificationError) and done.exception.exit_code == 4
