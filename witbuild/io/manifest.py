"""What a stage's folder says of itself: its identity before the work, its manifest when it is whole.

The fingerprint is a sha256 over everything that can change the result; the root is a Merkle tree over what was made.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from witbuild.errors import CorruptPartError, InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BLOCK = 1 << 20
_URI = re.compile(r"[a-z]{2,}:")
"""How a name begins that is no path, such as that of a crawl, cc:CC-MAIN-2024-22."""
TIMED = frozenset({"visits"})
"""Kinds of file that hold the time of day: no two runs have them alike, so they do not count in a root."""
Content = bytes
"""The content of a file; `bytes` means a number of them in the classes below."""


def dumps(value: object) -> bytes:
    """Return JSON with sorted keys, indented, ending in a newline: the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode()


def loads(path: str) -> Any:
    """Read a small JSON file; a broken one is a CorruptPartError that names it."""
    try:
        return json.loads(store.read_bytes(path))
    except ValueError as error:
        raise CorruptPartError(f"{path}: not valid JSON ({error}); delete this file and run again") from error


def sha256_file(path: str) -> str:
    """Return the sha256 of a file's bytes, hex."""
    digest = hashlib.sha256()
    with store.open_read(path) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything that can change what a stage makes.

    Example:
        >>> one = Identity(name="match", version=1, parameters={"a": 1}, upstream={"pairs": "ab"})
        >>> one.fingerprint == Identity(name="match", version=2, parameters={"a": 1}, upstream={}).fingerprint
        False
    """

    name: str
    version: int
    parameters: Mapping[str, Any]
    """JSON values; a file's place is taken by its name and sha256."""
    upstream: Mapping[str, str]
    """Kind of input -> fingerprint of the stage that made it."""

    @property
    def fingerprint(self) -> str:
        """The sha256 of the identity's canonical JSON, hex."""
        return hashlib.sha256(dumps(asdict(self))).hexdigest()


@dataclass(frozen=True)
class File:
    """A file that a task published."""

    kind: str
    path: str
    """Relative to the run directory."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Done:
    """What a finished task leaves in the stage's folder beside its files; timings stand here and nowhere else."""

    index: int
    rows: int
    dropped: Mapping[str, int]
    seconds: float
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """All bytes that the task published."""
        return sum(file.bytes for file in self.files)

    @staticmethod
    def load(path: str) -> Done:
        """Read what a task left."""
        content = loads(path)
        try:
            return Done(**{**content, "files": tuple(File(**file) for file in content["files"])})
        except (TypeError, KeyError) as error:
            raise CorruptPartError(f"{path}: not a task's record ({error}); delete its part and run again") from error


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A whole stage: its identity, its totals and every file with its digest."""

    identity: Identity
    output: str
    rows_in: int | None
    parts: tuple[Done, ...] = field(default_factory=tuple)
    reproducible: bool = True

    @property
    def fingerprint(self) -> str:
        """Of the identity."""
        return self.identity.fingerprint

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def dropped(self) -> dict[str, int]:
        """Rows dropped in all parts, by reason, most first."""
        return total(part.dropped for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def seconds(self) -> float:
        """Seconds that the tasks took, added up."""
        return sum(part.seconds for part in self.parts)

    def files(self, kind: str) -> tuple[File, ...]:
        """Return the files of a kind in the order of the parts."""
        return tuple(file for part in self.parts for file in part.files if file.kind == kind)

    def to_json(self) -> Content:
        """Return the manifest's file content."""
        totals = {
            "rows": self.rows,
            "dropped": self.dropped,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
        }
        return dumps({"fingerprint": self.fingerprint, "root": merkle_root(self.leaves()), **totals, **asdict(self)})

    def leaves(self) -> list[tuple[str, str]]:
        """Return (path, sha256) of every file that the same input makes again."""
        return [(file.path, file.sha256) for part in self.parts for file in part.files if file.kind not in TIMED]

    @staticmethod
    def load(path: str) -> Manifest:
        """Read a manifest; one that was edited or is from elsewhere is a CorruptPartError."""
        content = loads(path)
        try:
            identity = Identity(**content["identity"])
            parts = tuple(
                Done(**{**part, "files": tuple(File(**file) for file in part["files"])}) for part in content["parts"]
            )
            manifest = Manifest(
                identity=identity,
                output=content["output"],
                rows_in=content["rows_in"],
                parts=parts,
                reproducible=content["reproducible"],
            )
        except (TypeError, KeyError) as error:
            raise CorruptPartError(f"{path}: not a manifest ({error}); delete it and run again") from error
        if manifest.fingerprint != content.get("fingerprint"):
            raise CorruptPartError(f"{path}: its fingerprint does not fit its content; delete it and run again")
        return manifest


def total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts by reason, the largest first.

    Example:
        >>> total([{"a": 1}, {"b": 3, "a": 1}])
        {'b': 3, 'a': 2}
    """
    out: dict[str, int] = {}
    for one in counts:
        for reason, rows in one.items():
            out[reason] = out.get(reason, 0) + rows
    return dict(sorted(out.items(), key=lambda item: (-item[1], item[0])))


def merkle_root(leaves: Iterable[tuple[str, str]]) -> str:
    """Return the root of a Merkle tree over (path, sha256) pairs in the order of the paths (RFC 6962, section 2.1).

    Example:
        >>> merkle_root([("a", "00"), ("b", "01")]) == merkle_root([("b", "01"), ("a", "00")])
        True
    """
    level = [hashlib.sha256(b"\0" + f"{path}\0{digest}".encode()).digest() for path, digest in sorted(leaves)]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


def digest_paths(value: str) -> list[list[str]]:
    """Return [name, sha256] of each file that a path, a glob or a folder names; a URL stands for itself.

    An empty string names nothing.

    Raises:
        InputError: no such file.

    Example:
        >>> digest_paths("cc:CC-MAIN-2024-22"), digest_paths("")
        ([['cc:CC-MAIN-2024-22', '']], [])
    """
    if not value:
        return []
    if store.is_remote(value):
        return [[value, ""]]
    found = store.expand(value)
    if not found and _URI.match(value):
        return [[value, ""]]
    if not found:
        raise InputError(f"{value}: no such file")
    return [[path.rsplit("/", 1)[-1], sha256_file(path)] for path in found]
