"""How a model treats groups of people or things: accuracy by group, and which categories of labels it gives them.

CLIP's probe of bias (Radford et al. 2021, section 7.1) classifies portraits among labels that nobody should be given,
and counts by group. Which labels and which groups are files here:

    labels   a label a line, after a tab its category (none: the label is its own):   thief <tab> crime-related
    groups   CSV, the first column a sample's key, each other one a way to group:      key,age,gender
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class LabelSet:
    """Labels to choose among, and the category of each."""

    name: str
    labels: tuple[str, ...]
    categories: tuple[str, ...]


def read_labels(path: str) -> LabelSet:
    """Read a file of labels.

    Raises:
        InputError: it has none.
    """
    rows = [line.strip().split("\t") for line in store.read_bytes(path).decode().splitlines() if line.strip()]
    if not rows:
        raise InputError(f"{path}: no label; expected one a line, perhaps with a category after a tab")
    name = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return LabelSet(name, tuple(row[0].strip() for row in rows), tuple(row[-1].strip() for row in rows))


def read_groups(path: str) -> dict[str, dict[str, str]]:
    """Return key -> column -> value.

    Raises:
        InputError: there is no column to group by.
    """
    rows = list(csv.reader(io.StringIO(store.read_bytes(path).decode("utf-8-sig"))))
    if not rows or len(rows[0]) < 2:
        raise InputError(f"{path}: expected CSV with a head: a sample's key, then the columns to group by")
    head, *lines = rows
    return {line[0]: dict(zip(head[1:], line[1:], strict=False)) for line in lines if line}


def places(keys: Sequence[str], groups: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, list[int]]]:
    """Yield "column=value" and the places of its samples, in order of column and value; an empty value is no group.

    Example:
        >>> list(places(["a", "b", "c"], {"a": {"age": "old"}, "c": {"age": "young"}, "d": {"age": "old"}}))
        [('age=old', [0]), ('age=young', [2])]
    """
    found: dict[tuple[str, str], list[int]] = {}
    for place, key in enumerate(keys):
        for column, value in groups.get(key, {}).items():
            if value:
                found.setdefault((column, value), []).append(place)
    for (column, value), members in sorted(found.items()):
        yield f"{column}={value}", members
