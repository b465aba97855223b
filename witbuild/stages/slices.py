"""Plans and parts of a global step: map over parts, write by slice, reduce slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from witbuild.stage import Inputs, Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import numpy.typing as npt

AnyStage = TypeVar("AnyStage", bound=Stage)


class Sliced(Stage):
    """What every step of a global stage knows."""

    slices: int = Field(16, ge=1, le=65_536)
    """Into how many slices the work between pairs is cut: memory falls with it, the result does not depend on it."""

    def step(self, kind: type[AnyStage]) -> AnyStage:
        """Return a stage of another kind with those of its parameters that this one has."""
        mine = type(self).model_fields
        return kind(**{name: getattr(self, name) for name in kind.model_fields if name in mine})


def per_part(inputs: Inputs, kind: str) -> Iterator[Task]:
    """Yield a task for each part of a kind; all parts of the other kinds go to every task.

    Example:
        >>> [task.sources["pairs"] for task in per_part({"pairs": ("a", "b"), "queries": ("q",)}, "pairs")]
        [('a',), ('b',)]
    """
    for index, path in enumerate(inputs[kind]):
        yield Task(index, {**inputs, kind: (path,)})


def per_address(inputs: Inputs) -> Iterator[Task]:
    """Yield a task for each part of the pairs and of those that they are held against, with its part number.

    Example:
        >>> [dict(task.arguments) for task in per_address({"pairs": ("a", "b"), "against": ("c",)})]
        [{'part': 0}, {'part': 1}, {'part': -1}]
    """
    others = {kind: paths for kind, paths in inputs.items() if kind not in {"pairs", "against"}}
    mine = list(enumerate(inputs["pairs"]))
    theirs = [(-1 - number, path) for number, path in enumerate(inputs.get("against", ()))]
    for index, (part, path) in enumerate(mine + theirs):
        yield Task(index, {**others, "pairs": (path,)}, {"part": part})


def per_slice(inputs: Inputs, slices: int) -> Iterator[Task]:
    """Yield a task for each slice, over all parts.

    Example:
        >>> [dict(task.arguments) for task in per_slice({"bands": ("a",)}, 2)]
        [{'slice': 0}, {'slice': 1}]
    """
    return (Task(index, dict(inputs), {"slice": index}) for index in range(slices))


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
