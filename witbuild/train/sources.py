"""Which tars a training reads: open_clip's way of saying it.

"cc12m/{00000..01242}.tar::laion/*.tar"      two sources, each with braces, globs or a folder
"1::0.5"                                     a pair of the second is seen half as often
"""

from __future__ import annotations

import itertools
import re

from witbuild.errors import RecipeError
from witbuild.io import store

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def expanded(text: str) -> list[str]:
    """Return what braces in a text stand for: a range of numbers, as wide as the first is written, or a list.

    Example:
        >>> expanded("a/{08..10}.tar"), expanded("{a,b}-{1..2}")
        (['a/08.tar', 'a/09.tar', 'a/10.tar'], ['a-1', 'a-2', 'b-1', 'b-2'])
    """
    pieces = _BRACES.split(text)
    choices = [[piece] if place % 2 == 0 else _choices(piece) for place, piece in enumerate(pieces)]
    return ["".join(parts) for parts in itertools.product(*choices)]


def _choices(inside: str) -> list[str]:
    match = _RANGE.fullmatch(inside)
    if match is None:
        return inside.split(",")
    first, last = match.groups()
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def sources(train_data: str) -> list[list[str]]:
    """Return the tars of each source, in order.

    Raises:
        RecipeError: a source has none.
    """
    out = []
    for source in train_data.split("::"):
        found = [path for text in expanded(source) for path in ([text] if is_stream(text) else store.expand(text))]
        tars = [path for path in found if path.endswith(".tar") or is_stream(path)]
        if not tars:
            raise RecipeError(f"stage train: train_data: {source}: no tars there; name a folder, a glob or braces")
        out.append(tars)
    return out


def is_stream(path: str) -> bool:
    """Say whether a path is read front to back, as there are no places to look up in it.

    Example:
        >>> is_stream("pipe:aws s3 cp s3://b/0.tar -"), is_stream("a/0.tar.gz"), is_stream("s3://b/0.tar")
        (True, True, False)
    """
    return path.startswith(("pipe:", "http://", "https://")) or path.endswith((".tar.gz", ".tgz", ".tar.zst"))


def weights(factors: str, count: int) -> tuple[float, ...]:
    """Return the weight of each of so many sources.

    Raises:
        RecipeError: there are not as many, or one is no positive number.

    Example:
        >>> weights("2::1", 2), weights("", 3)
        ((2.0, 1.0), (1.0, 1.0, 1.0))
    """
    if not factors:
        return (1.0,) * count
    try:
        found = tuple(float(factor) for factor in factors.split("::"))
    except ValueError:
        found = ()
    if len(found) != count or min(found, default=0) <= 0:
        raise RecipeError(
            f"stage train: train_data_upsampling_factors {factors!r}: expected {count} positive numbers with :: between"
        )
    return found
