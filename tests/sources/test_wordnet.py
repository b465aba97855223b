"""WordNet: MetaCLIP's published number, the shipped file against the database files, broken folders."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from witbuild.errors import InputError
from witbuild.sources.wordnet import name, read_wndb, shipped

if TYPE_CHECKING:
    from pathlib import Path

LINE = "00001740 00 a 01 able(p) 0 005 = 05200169 n 0000 | having the means\n"


def test_metaclip_counts_86554_names_and_86654_with_the_numbers() -> None:
    names = {name(synset.lemma, cut=True) for synset in shipped()} - {""}
    assert len(names) == 86_554
    assert len(names | {str(number) for number in range(100)}) == 86_654


def test_the_shipped_file_is_what_the_database_files_hold(shared: Path, tmp_path: Path) -> None:
    with tarfile.open(shared / "wordnet30.tar.xz") as tar:
        tar.extractall(tmp_path, filter="data")
    assert list(read_wndb(str(tmp_path / "wordnet30"))) == shipped()


def test_a_name_is_whole_unless_it_is_cut() -> None:
    assert [name("St._Petersburg"), name("a.k.a._x", cut=True), name(".22", cut=True)] == ["St. Petersburg", "a", ""]


def wndb(folder: Path, line: str) -> str:
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"data.{part}").write_text(f"  1 the licence\n{line}")
    return str(folder)


def test_the_mark_of_an_adjectives_position_is_no_part_of_its_name(tmp_path: Path) -> None:
    assert [synset.lemma for synset in read_wndb(wndb(tmp_path, LINE))] == ["able"] * 4


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.noun: no such file; --wordnet wants"):
        list(read_wndb(str(tmp_path)))


def test_a_line_that_is_no_synset_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.noun:2: not a synset: b'able"):
        list(read_wndb(wndb(tmp_path, "able\n")))
