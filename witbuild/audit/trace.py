"""A key through the steps of a run: its rows in each table of pairs, and where and why it left.

Memory is bounded by one column of one part: tables are searched part by part.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.stage import MapStage, Task
from witbuild.stages.drops import ApplyDrops
from witbuild.stages.slices import of_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.runner.replay import Made


class Address(NamedTuple):
    """A row of a table: the number and path of its part, and its number there."""

    part: int
    path: str
    row: int

    def read(self) -> pa.Table:
        """Return the row as a table of one."""
        return tables.read_rows(self.path, self.row, self.row + 1)


@dataclass(frozen=True)
class Stop:
    """Where rows of a key left the run."""

    step: str
    """Folder of the step."""
    reason: str
    rows: int


@dataclass(frozen=True)
class Trace:
    """The way of a key."""

    key: str
    seen: list[tuple[Made, list[Address]]]
    """Every step that writes pairs, with the rows of the key in what it wrote, none after the last that had it."""
    stops: list[Stop]
    """In the order of the steps; several where several rows of one key left one by one."""
    given: list[Address] = field(default_factory=list)
    """The key's rows in pairs that came from elsewhere than the run."""

    def before(self, name: str) -> list[Address]:
        """Return the key's rows in what the last step of a name read; empty when it read none of them."""
        rows = self.given
        found: list[Address] = []
        for made, addresses in self.seen:
            found = rows if made.stage.name == name else found
            rows = addresses
        return found

    @property
    def last(self) -> Address | None:
        """The key's first row in the last table that has it."""
        tables_of_it = (self.given, *(addresses for _, addresses in self.seen))
        return next((addresses[0] for addresses in reversed(tables_of_it) if addresses), None)

    @property
    def first(self) -> list[Address]:
        """The key's rows in the first table that has it."""
        return self.given or next((addresses for _, addresses in self.seen if addresses), [])


def find(paths: Iterable[str], column: str, values: pa.Array) -> Iterator[Address]:
    """Yield the rows of a table whose column holds one of some values."""
    for part, path in enumerate(paths):
        held = pc.is_in(tables.read(path, [column])[column], value_set=values)
        for row in np.flatnonzero(held).tolist():
            yield Address(part, path, row)


def keys_of_url(steps: Iterable[Made], url: str) -> list[str]:
    """Return the keys of the pairs that a run found for an image's URL, as found or in its canonical form."""
    from witbuild.web.urls import canonical

    values = pa.array(sorted({url, canonical(url)}))
    for made in steps:
        if made.stage.output == "pairs":
            rows = find(made.paths(), "url", values)
            return sorted({str(row.read()["key"][0]) for row in rows})
    return []


def trace(steps: Iterable[Made], key: str) -> Trace:
    """Follow a key through the steps of a run."""
    out, wanted = Trace(key, [], []), pa.array([key])
    before: list[Address] | None = None
    for made in steps:
        if before == []:
            break
        if before is None and "pairs" in made.inputs:
            before = list(find(made.inputs["pairs"], "key", wanted))
            out.given.extend(before)
        if made.stage.output == "pairs":
            after = list(find(made.paths(), "key", wanted))
            out.stops.extend(_stops(made, before or [], len(after)))
            out.seen.append((made, after))
            before = after
        elif made.stage.output == "samples" and before:
            out.stops.extend(_packed(made, before, wanted))
    return out


def _stops(made: Made, before: list[Address], after: int) -> list[Stop]:
    """Return why rows that a step read are not in what it wrote."""
    if len(before) <= after:
        return []
    found = [why for row in before for why in reasons(made, row)]
    counted = {reason: found.count(reason) for reason in dict.fromkeys(found)}
    return [Stop(made.folder.name, reason, rows) for reason, rows in counted.items()] or [
        Stop(made.folder.name, "not in what it wrote; the step does not say why", len(before) - after)
    ]


def reasons(made: Made, row: Address) -> list[str]:
    """Return why a step dropped a row of the pairs that it read; empty when it did not, or does not say.

    A step that judges each row alone is asked again, with this one row.
    """
    if isinstance(made.stage, ApplyDrops):
        return _written(made, row)
    if "fetches" in made.stage.files:
        key = str(row.read()["key"][0])
        return [one["status"] for one in fetches(made, key) if one["status"] != "ok"]
    if not isinstance(made.stage, MapStage):
        return []
    first, *others = (kind for kind in (*made.stage.reads, *made.stage.optional) if kind in made.inputs)
    sources = {first: (row.path,), **{kind: made.inputs[kind] for kind in others}}
    with tempfile.TemporaryDirectory() as scratch:
        dropped = made.stage.apply(row.read(), Task(row.part, sources, scratch=scratch)).dropped
    return [reason for reason, rows in dropped.items() if rows]


def _written(made: Made, row: Address) -> list[str]:
    """Return the reason that a global step wrote down for a row."""
    drops = of_part(made.inputs["drops"], row.part)
    found: list[str] = drops.filter(pc.equal(drops["row"], row.row))["reason"].to_pylist()
    return found


def fetches(made: Made, key: str) -> list[dict[str, Any]]:
    """Return what a fetch says of a key."""
    rows = find(made.paths("fetches"), "key", pa.array([key]))
    return [one for row in rows for one in row.read().to_pylist()]


def _packed(made: Made, before: list[Address], wanted: pa.Array) -> list[Stop]:
    """Return why pairs did not become samples."""
    after = sum(1 for _ in find(made.paths(), "key", wanted))
    if isinstance(made.stage, MapStage):
        return _stops(made, before, after)
    return []
