"""Tars: equal to what tarfile writes, readable by it and by GNU tar, and clear about what is broken."""

from __future__ import annotations

import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import InputError
from witbuild.io import tars

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text("0123456789abcdef.-_", min_size=1, max_size=100)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=8)


def ours(files: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tars.TarWriter(stream) as tar:
        for name, content in files:
            offset = tar.add(name, content)
            assert stream.getvalue()[offset : offset + len(content)] == content
    return stream.getvalue()


def reference(files: list[tuple[str, bytes]], **options: object) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **{"format": tarfile.USTAR_FORMAT, **options}) as tar:  # type: ignore[call-overload]
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def saved(folder: Path, content: bytes) -> str:
    path = folder / "a.tar"
    path.write_bytes(content)
    return str(path)


@given(FILES)
def test_bytes_are_those_of_tarfile(files: list[tuple[str, bytes]]) -> None:
    assert ours(files) == reference(files)


@given(FILES)
def test_sizes_can_be_told_before_writing(files: list[tuple[str, bytes]]) -> None:
    assert len(ours(files)) == tars.total(sum(tars.padded(len(content)) for _, content in files))


@given(FILES)
def test_members_come_back(tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]]) -> None:
    path = saved(tmp_path_factory.mktemp("tars"), ours(files))
    assert [(name, tars.read(path, extent)) for name, extent in tars.members(path)] == files


LONG = "folder/" * 30 + "0a.jpg"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LONG, {"format": tarfile.GNU_FORMAT}),
        (LONG, {"format": tarfile.PAX_FORMAT}),
        ("ünï.jpg", {"format": tarfile.PAX_FORMAT}),
        (LONG[-180:], {"format": tarfile.USTAR_FORMAT}),
        ("0a.jpg", {"format": tarfile.PAX_FORMAT, "pax_headers": {"comment": "of the whole archive"}}),
    ],
)
def test_other_writers_tars(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    path = saved(tmp_path, reference([("first.txt", b"1"), (name, b"xyz"), ("last.txt", b"2")], **options))
    found = [(name, tars.read(path, extent)) for name, extent in tars.members(path)]
    assert found == [("first.txt", b"1"), (name, b"xyz"), ("last.txt", b"2")]


def test_gnu_tar_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(ours([("0a.jpg", b"one"), ("0a.txt", b"two")]))
    subprocess.run(["tar", "xf", "a.tar"], cwd=tmp_path, check=True)
    assert (tmp_path / "0a.jpg").read_bytes() == b"one"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "0b.txt").symlink_to("nowhere")
    subprocess.run(["tar", "cf", "b.tar", "folder", "0a.jpg", "0a.txt"], cwd=tmp_path, check=True)
    (sample,) = tars.index(str(tmp_path / "b.tar"))
    assert sample.key == "0a"
    assert tars.read(str(tmp_path / "b.tar"), sample.members["txt"]) == b"two"


def test_index_groups_members_up_to_the_first_dot(tmp_path: Path) -> None:
    files = [("d.d/a.seg.png", b"1"), ("d.d/a.txt", b"2"), ("b.txt", b"3"), ("d.d/a.txt", b"4")]
    samples = tars.index(saved(tmp_path, ours(files)))
    assert [(sample.key, list(sample.members)) for sample in samples] == [
        ("d.d/a", ["seg.png", "txt"]),
        ("b", ["txt"]),
        ("d.d/a", ["txt"]),
    ]


def test_a_sample_with_two_members_of_one_name_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, ours([("a.txt", b"1"), ("a.txt", b"2")]))
    with pytest.raises(InputError, match=r"a\.tar: sample 'a' has two members \.txt"):
        tars.index(path)


def test_every_cut_is_found(tmp_path: Path) -> None:
    whole = ours([("a.jpg", bytes(600)), ("a.txt", b"two")])
    end = 512 + 1024 + 512 + 512
    for cut in [*range(0, end, 100), end]:
        with pytest.raises(InputError, match=r"a\.tar: byte \d+: .*cut short"):
            list(tars.members(saved(tmp_path, whole[:cut])))


def test_a_cut_member_is_not_read_as_a_short_one(tmp_path: Path) -> None:
    path = saved(tmp_path, bytes(100))
    with pytest.raises(InputError, match="ends at byte 100"):
        tars.read(path, tars.Extent(90, 20))


@given(st.integers(0, 511), st.integers(1, 255))
def test_a_flipped_header_byte_never_moves_a_member(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: int
) -> None:
    whole = bytearray(ours([("a.jpg", b"one")]))
    whole[position] ^= change
    path = saved(tmp_path_factory.mktemp("tars"), bytes(whole))
    try:
        found = [extent for _, extent in tars.members(path)]
    except InputError:
        return
    assert found in ([tars.Extent(512, 3)], [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xd8" + bytes(2000), "byte 0: no tar header: the checksum does not hold"),
        (b"<html>" * 200, "byte 0: no tar header"),
        (b"", "byte 0: the archive's end mark is missing"),
    ],
)
def test_what_is_no_tar_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tars.index(saved(tmp_path, content))


def pax(record: bytes) -> bytes:
    """A tar whose first header announces a pax header with this content."""
    block = bytearray(tars.header("pax", len(record)))
    block[156:157] = b"x"
    block[148:156] = b"%06o\0 " % (sum(block) - sum(block[148:156]) + 256)
    return bytes(block) + record + bytes(-len(record) % 512) + ours([("a.txt", b"1")])


@pytest.mark.parametrize(
    "record", [b"9", b"0 path=a\n", b"99999999999 path=a\n", b"8 path a\n", b"-1 path=a\n", b"\xb2 a=b\n"]
)
def test_a_hostile_pax_header_is_refused(tmp_path: Path, record: bytes) -> None:
    with pytest.raises(InputError, match="pax header"):
        tars.index(saved(tmp_path, pax(record)))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"11 size=-1\n", "pax size"),
        (b"12 size=99\n\n", "pax size"),
        (b"16 size=9999999\n", "cut short"),
        (b"10 path=\xff\n", "not UTF-8"),
        (b"x" * 70_000, "a header of 70000 bytes"),
    ],
)
def test_a_pax_header_cannot_point_outside(tmp_path: Path, record: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tars.index(saved(tmp_path, pax(record)))


@pytest.mark.parametrize(("name", "size"), [("", 1), ("a" * 101, 1), ("a", 8**11), ("a", -1)])
def test_what_ustar_cannot_hold_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit a USTAR header"):
        tars.header(name, size)


def test_a_tar_in_an_object_store(tmp_path: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/bucket/a.tar", ours([("a.jpg", b"one"), ("a.txt", b"two")]))
    (sample,) = tars.index("memory://bucket/a.tar")
    assert {name: tars.read("memory://bucket/a.tar", extent) for name, extent in sample.members.items()} == {
        "jpg": b"one",
        "txt": b"two",
    }


@pytest.mark.parametrize("scheme", ["", "memory://read-into"])
def test_members_of_several_files_are_read_into_memory(tmp_path: Path, scheme: str) -> None:
    import fsspec

    contents = {"a.tar": [b"one", b"", b"three"], "b.tar": [b"x" * 700]}
    paths, extents, expected = [], [], []
    for name, members in contents.items():
        whole = ours([(f"{i}.txt", content) for i, content in enumerate(members)])
        if scheme:
            fsspec.filesystem("memory").pipe(f"/read-into/{name}", whole)
        else:
            (tmp_path / name).write_bytes(whole)
        path = f"{scheme or tmp_path}/{name}"
        paths += [path] * len(members)
        extents += [extent for _, extent in tars.members(path)]
        expected += members
    memory = [bytearray(extent.size) for extent in extents]
    tars.read_into(paths, extents, [memoryview(one) for one in memory])
    assert [bytes(one) for one in memory] == expected
    end = tars.Extent(len(whole) - 2, 10)
    with pytest.raises(InputError, match=rf"b\.tar: ends at byte {len(whole)}, inside a member"):
        tars.read_into(paths[-1:], [end], [memoryview(bytearray(10))])


def test_nothing_is_read_into_nothing() -> None:
    tars.read_into([], [], [])
    assert tars.read_many("memory://nowhere/a.tar", []) == []
