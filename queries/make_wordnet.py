"""Make the WordNet data of the package: `python queries/make_wordnet.py wordnet30.tar.xz FOLDER`.

FOLDER (`witbuild/data`) gets `wordnet-3.0.txt.xz` and the licence. The archive holds WordNet 3.0's `dict`
files as they are distributed at https://wordnet.princeton.edu/download (and by Debian as `wordnet-base`).
"""

from __future__ import annotations

import hashlib
import lzma
import sys
import tarfile
import tempfile
from pathlib import Path

from witbuild.sources.wordnet import SHIPPED, read_wndb

ARCHIVE_SHA256 = "dbe7ec4b5a475f977ba54a3b35d0ca47ad3a4a067c485e2fd860dfb078a9cca2"
RESULT_SHA256 = "ad8dfef035b41f079e73516799b4c2da2c03df5eca9b1d4d0f93301e0e0b3448"  # of the text before compression


def main(archive: str, folder: str) -> None:
    """Check the archive, then write the data file and the licence."""
    content = Path(archive).read_bytes()
    _check("archive", content, ARCHIVE_SHA256)
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
        (dictionary,) = Path(scratch).iterdir()
        notice = _notice(dictionary)
        synsets = [f"{synset.part} {synset.lemma}\n" for synset in read_wndb(str(dictionary))]
    text = "".join([*(f"# {line}\n" for line in notice.splitlines()), *synsets]).encode()
    _check("result", text, RESULT_SHA256)
    Path(folder, SHIPPED).write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    Path(folder, "WORDNET-LICENSE.txt").write_text(notice)


def _notice(dictionary: Path) -> str:
    """Return the licence as the database files carry it: their first lines, each numbered."""
    lines = (dictionary / "data.noun").read_text().splitlines()
    return "".join(f"{line[5:].rstrip()}\n" for line in lines if line.startswith("  "))


def _check(what: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        sys.exit(f"the {what} has sha256 {found}, expected {expected}")


if __name__ == "__main__":
    main(*sys.argv[1:])
