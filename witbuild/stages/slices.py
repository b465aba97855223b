"""Plans and parts of a global step: map over parts, write by slice, reduce slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field

from witbuild.stage import Inputs, Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_KERNELS = ("witbuild.text.warm",)
"""What workers that call kernels are forked with."""
AnyStage = TypeVar("AnyStage", bound=Stage)


SLICE_ROWS = 1 << 21
"""Rows of a slice whose number nobody chose, at most, if what gives the slice is spread well."""


class Cut(Stage):
    """A step of a global stage."""

    def step(self, kind: type[AnyStage]) -> AnyStage:
        """Return a stage of another kind with those of its parameters that this one has."""
        mine = type(self).model_fields
        return kind(**{name: getattr(self, name) for name in kind.model_fields if name in mine})


class Sliced(Cut):
    """What every step of a global stage knows."""

    keeps_memory: ClassVar[bool] = True
    preload: ClassVar[tuple[str, ...]] = _KERNELS
    slices: int = Field(16, ge=1, le=65_536)
    """Into how many slices the work between pairs is cut: memory falls with it, the result does not depend on it."""


class Scaled(Cut):
    """What every step knows of a global stage whose slices follow from the rows that there are."""

    keeps_memory: ClassVar[bool] = True
    preload: ClassVar[tuple[str, ...]] = _KERNELS

    slices: int | None = Field(None, ge=1, le=65_536)
    """Into how many slices each table between pairs is cut; by default so many that a slice has some two million rows.
    Memory falls with it, the result does not depend on it."""

    def into(self, rows: int, each: int = SLICE_ROWS) -> int:
        """Return into how many slices a table of so many rows is cut, when one is to have `each` at most."""
        return self.slices or enough(rows, each)


def enough(rows: int, each: int = SLICE_ROWS) -> int:
    """Return the power of two of slices for `each` rows at most in one: a few more rows do not change it.

    Example:
        >>> [enough(rows, 1_000) for rows in (0, 1_000, 1_001, 5_000, 10**9)]
        [1, 1, 2, 8, 65536]
    """
    return min(1 << max(-(-rows // each) - 1, 0).bit_length(), 65_536)


def per_part(inputs: Inputs, kind: str) -> Iterator[Task]:
    """Yield a task for each part of a kind; all parts of the other kinds go to every task.

    Example:
        >>> [task.sources["pairs"] for task in per_part({"pairs": ("a", "b"), "queries": ("q",)}, "pairs")]
        [('a',), ('b',)]
    """
    for index, path in enumerate(inputs[kind]):
        yield Task(index, {**inputs, kind: (path,)})


def per_address(inputs: Inputs, **arguments: int) -> Iterator[Task]:
    """Yield a task for each part of the pairs and of those that they are held against, with its part number.

    Args:
        inputs: pairs, perhaps against; all parts of other kinds go to every task.
        arguments: more of them, the same for every task.

    Example:
        >>> [dict(task.arguments) for task in per_address({"pairs": ("a", "b"), "against": ("c",)})]
        [{'part': 0}, {'part': 1}, {'part': -1}]
    """
    others = {kind: paths for kind, paths in inputs.items() if kind not in {"pairs", "against"}}
    mine = list(enumerate(inputs["pairs"]))
    theirs = [(-1 - number, path) for number, path in enumerate(inputs.get("against", ()))]
    for index, (part, path) in enumerate(mine + theirs):
        yield Task(index, {**others, "pairs": (path,)}, {"part": part, **arguments})


def per_slice(inputs: Inputs, count: int, **arguments: int) -> Iterator[Task]:
    """Yield a task for each slice, over all parts, with the other arguments given.

    Example:
        >>> [dict(task.arguments) for task in per_slice({"bands": ("a",)}, 2)]
        [{'slice': 0}, {'slice': 1}]
    """
    return (Task(index, dict(inputs), {"slice": index, **arguments}) for index in range(count))


def sliced(
    columns: Mapping[str, Any],
    rows_slices: npt.NDArray[np.integer],
    slices: int,
    dropped: Mapping[str, int] | None = None,
) -> Part:
    """Return a part whose row group i holds the rows of slice i, in the order given."""
    import pyarrow as pa

    from witbuild.io import tables

    table, sizes = tables.by_slice(pa.table(dict(columns)), rows_slices, slices)
    return Part(table, dropped or {}, sizes)


def slices_of(paths: Sequence[str]) -> int:
    """Return how many slices a sliced table has: all its parts have the same."""
    from witbuild.io import tables

    return len(tables.Footer(paths[0]).row_groups)


def of_part(paths: Sequence[str], part: int) -> pa.Table:
    """Return the rows about a part of the pairs in a table that is sliced by part, modulo the number of its slices."""
    import pyarrow.compute as pc

    from witbuild.io import tables

    found = tables.read_slices(paths, part % slices_of(paths))
    return found.filter(pc.equal(found["part"], part))
