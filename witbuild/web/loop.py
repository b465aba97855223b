"""An event loop for synchronous code: uvloop where there is one."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a loop of its own; of a group of errors the first is raised, as itself.

    Example:
        >>> async def one() -> int:
        ...     return 1
        >>> run(one())
        1
    """
    try:
        if importlib.util.find_spec("uvloop") is None:
            return asyncio.run(work)
        import uvloop

        return uvloop.run(work)
    except BaseExceptionGroup as group:
        raise first(group) from group


def first(error: BaseException) -> BaseException:
    """Return the first plain error in a group of groups.

    Example:
        >>> first(ExceptionGroup("", [ExceptionGroup("", [ValueError("one")]), KeyError("two")]))
        ValueError('one')
    """
    return first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
