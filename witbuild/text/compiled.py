"""Compiled code kept on disk, under a name that changes with all that went into it.

numba asks whether a function's own file changed. What the function calls and which constants it reads stand in other
files as well, so here they are part of the name: a kernel compiled with an older one is not found, never run.
"""

from __future__ import annotations

import hashlib
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core.caching import FunctionCache

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kept(FunctionCache):
    """The cache of one kernel."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[object, ...]:
        return *super()._index_key(sig, codegen), made_of(self._py_func)


def made_of(function: FunctionType) -> str:
    """Return a digest of the code of a function and of every compiled function that it calls, and their constants.

    Example:
        >>> made_of(made_of) == made_of(made_of)
        True
    """
    found: dict[int, bytes] = {}
    _visit(function, found)
    return hashlib.sha256(b"\n".join(sorted(found.values()))).hexdigest()


def _visit(function: FunctionType, found: dict[int, bytes]) -> None:
    if id(function) in found:
        return
    code, named = function.__code__, _named(function)
    told = [f"{name}={_told(value)}" for name, value in sorted(named.items())]
    found[id(function)] = repr((function.__module__, function.__qualname__, _parts(code), told)).encode()
    for value in named.values():
        called = getattr(value, "py_func", None) or getattr(value, "_defn", None)  # compiled, or written for LLVM
        if isinstance(called, FunctionType):
            _visit(called, found)


def _named(function: FunctionType) -> dict[str, object]:
    """Return what the names in a function's code stand for, in the modules that it names as well."""
    names, known = set(_names(function.__code__)), function.__globals__
    named = {name: known[name] for name in names if name in known}
    named |= zip(
        function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()), strict=True
    )
    modules = [(name, vars(value)) for name, value in named.items() if isinstance(value, ModuleType)]
    return named | {f"{module}.{name}": held[name] for module, held in modules for name in names if name in held}


def _told(value: object) -> str:
    """Return what a compiler makes a constant of, the same in every process; nothing of what is no constant."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_told, value))})"
    if isinstance(value, frozenset):
        return f"({', '.join(sorted(map(_told, value)))})"
    return repr(value) if isinstance(value, int | float | bytes | str | np.generic | None) else ""


def _parts(code: CodeType) -> tuple[object, ...]:
    """Return what a function's code says: its steps, names and constants, those of functions inside it too."""
    inside = [_parts(one) if isinstance(one, CodeType) else _told(one) for one in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, inside


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)
