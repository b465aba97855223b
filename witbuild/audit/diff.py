"""What differs between two runs: what was asked for, what each step gave, which pairs the results hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from witbuild.audit.keysets import Changes, Keyed, compare, table
from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.manifest import merkle_root
from witbuild.io.run import Run
from witbuild.runner.identity import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from witbuild.io.manifest import Manifest

EXAMPLES = 5
"""Keys of each kind that are named in the summary."""
_SCHEMA = pa.schema([("key", pa.string()), ("change", pa.string())])


@dataclass(frozen=True, kw_only=True)
class StepDiff:
    """A step of both runs, or of one: then the other's rows are None."""

    name: str
    parameters: list[str]
    """What differs, in words."""
    rows: tuple[int | None, int | None]
    dropped: Mapping[str, tuple[int, int]]
    """Reason -> rows, where they differ."""
    equal: bool
    """Whether every file is the same, byte for byte."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Two runs side by side."""

    steps: list[StepDiff]
    roots: tuple[str, str]
    table: str
    """Whose keys were compared: sidecars of the data set, or the last pairs."""
    same: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    """Keys that stand for other image bytes."""
    examples: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Say whether the reproducible stages of both gave the same bytes."""
        return self.roots[0] == self.roots[1]


def diff(old: str, new: str, out: str = "") -> Diff:
    """Compare two runs.

    Args:
        old: run directory.
        new: run directory.
        out: parquet file for every key that differs; empty: none.

    Raises:
        InputError: one of them is no run, or holds no pairs.
    """
    runs = Run(old), Run(new)
    (kind, first), (other, second) = (_result(run) for run in runs)
    if kind != other:
        raise InputError(f"{old} ends with {kind}, {new} with {other}; finish both, or stop both at one stage")
    summary = _Summary()
    changes = summary.watch(compare(first, second))
    if out:
        _write(out, changes)
    for _ in changes:
        pass
    return Diff(
        steps=list(_steps(*runs)),
        roots=(runs[0].merkle_root(), runs[1].merkle_root()),
        table=kind,
        same=summary.same,
        examples=summary.examples,
        **summary.counts,
    )


class _Summary:
    """Counts changes as they pass, and keeps the first keys of each kind."""

    def __init__(self) -> None:
        self.same = 0
        self.counts = dict.fromkeys(("added", "removed", "changed"), 0)
        self.examples: dict[str, list[str]] = {name: [] for name in self.counts}

    def watch(self, changes: Iterable[Changes]) -> Iterator[Changes]:
        for one in changes:
            self.same += one.same
            for name, found in self.examples.items():
                keys = getattr(one, name)
                self.counts[name] += len(keys)
                found.extend(keys[: EXAMPLES - len(found)])
            yield one


def _write(out: str, changes: Iterable[Changes]) -> None:
    with store.commit(out) as partial, pq.ParquetWriter(partial, _SCHEMA, compression="zstd") as writer:
        for one in table(changes):
            writer.write_table(one)


def _result(run: Run) -> tuple[str, Keyed]:
    """Return the keys of what a run came to: those of its shards, else of its last pairs."""
    manifests = [manifest for _, manifest in reversed(run.manifests())]
    for kind, content in (("sidecars", "sha256"), ("pairs", "original_sha256")):
        for manifest in manifests:
            if manifest.files(kind):
                return kind, Keyed(run.paths(manifest, kind), content)
    raise InputError(f"{run.root}: holds no pairs yet; is this a run directory?")


def _steps(old: Run, new: Run) -> Iterator[StepDiff]:
    """Yield each step of either run: the nth of a name in one stands beside the nth of that name in the other."""
    left, right = _numbered(old), _numbered(new)
    for name in dict.fromkeys([*left, *right]):
        yield _step(name, left.get(name), right.get(name))


def _numbered(run: Run) -> dict[str, Manifest]:
    seen: Counter[str] = Counter()
    out: dict[str, Manifest] = {}
    for folder, manifest in run.manifests():
        name = folder.name.partition("-")[2]
        seen[name] += 1
        out[name if seen[name] == 1 else f"{name} ({seen[name]})"] = manifest
    return out


def _step(name: str, old: Manifest | None, new: Manifest | None) -> StepDiff:
    parameters: list[str] = []
    if old and new:
        parameters = differences(old.identity, new.identity)
    drops = [dict(one.dropped) if one else {} for one in (old, new)]
    counts = {reason: (drops[0].get(reason, 0), drops[1].get(reason, 0)) for reason in {**drops[0], **drops[1]}}
    return StepDiff(
        name=name,
        parameters=parameters,
        rows=(old.rows if old else None, new.rows if new else None),
        dropped={reason: pair for reason, pair in counts.items() if pair[0] != pair[1]},
        equal=bool(old and new) and _root(old) == _root(new),
    )


def _root(manifest: Manifest | None) -> str:
    """Return the root over a step's files; their folder's number does not count."""
    leaves = manifest.leaves() if manifest else []
    return merkle_root((path.partition("-")[2] or path, digest) for path, digest in leaves)
