"""Where tasks run; an engine knows nothing of stages.

Engine (Protocol) ── map(function, items) -> results in any order
├── LocalEngine     processes of this machine; with one worker, this process
└── RayEngine       machines of a Ray cluster; the extra `ray`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs a function over items somewhere.

    Results come in any order; only a bounded number of items is in flight; the first error is raised here, unchanged,
    and nothing further is started. The function and the items must be picklable.
    """

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the result for each item."""
        ...
