"""Compiled code kept on disk, under a name that changes with all that went into it.

numba asks whether a function's own file changed. What the function calls and which constants it reads stand in other
files as well, so here they are part of the name: a kernel compiled with an older one is not found, never run. Processes
that start together do not compile the same twice: one does, the others wait for what it keeps.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from contextlib import ExitStack, suppress
from functools import wraps
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_OTHERS: Final = ("numba", "llvmlite", "numpy")
"""numba keeps nothing from one version of itself to the next, which brings the others along."""


class Kept(FunctionCache):
    """The cache of one kernel."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[object, ...]:
        return *super()._index_key(sig, codegen), made_of(self._py_func)


PATIENCE_SECONDS = 60.0
"""Longest wait for what another process compiles."""
_LOOK_AGAIN_SECONDS: Final = 0.05
_stuck: Final[set[str]] = set()
"""Files that were waited for long enough."""
_begun: Final[list[object]] = []
"""The function that is being compiled, for which this process has the lock; one at a time, by numba's own lock."""


def alone(compile_for: Callable[[Any], Any], function: Any) -> Callable[[Any], Any]:
    """Return what compiles a function, or finds it on the disk, while no other process does so in the same file."""

    @wraps(compile_for)
    def compile_alone(signature: Any) -> Any:
        # numba's lock first: a thread that has it may wait for a file
        with global_compiler_lock, ExitStack() as held:
            if not _begun:  # what a kernel calls is compiled under its lock: a second one would be waited for for ever
                _begun.append(function)
                held.callback(_begun.clear)
                with suppress(OSError):
                    file = held.enter_context(Path(function.__code__.co_filename).open("rb"))
                    _lock(file)
                    held.callback(fcntl.flock, file, fcntl.LOCK_UN)  # a process forked now keeps it open
            return compile_for(signature)

    return compile_alone


def _lock(file: IO[bytes]) -> None:
    """Lock a file, or let it be: whoever has it may have been stopped, and it is work alone that would be saved."""
    until = time.monotonic() + PATIENCE_SECONDS
    while file.name not in _stuck:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_AGAIN_SECONDS)
        if time.monotonic() > until:
            _stuck.add(file.name)
    return None


def made_of(function: FunctionType) -> str:
    """Return a digest of the code of a function and of every function that it calls or is made by, and their constants.

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
    told = [_told(function.__defaults__), *(f"{name}={_told(value)}" for name, value in sorted(named.items()))]
    found[id(function)] = repr((function.__module__, function.__qualname__, _parts(code), told)).encode()
    for value in named.values():
        # Compiled; or writing for LLVM; or a plain function that writes with it.
        called = getattr(value, "py_func", None) or getattr(value, "_defn", None) or value
        if isinstance(called, FunctionType) and called.__module__.partition(".")[0] not in _OTHERS:
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
    if isinstance(value, tuple | list | frozenset):
        each = map(_told, value)
        return f"({', '.join(sorted(each) if isinstance(value, frozenset) else each)})"
    if isinstance(value, type):
        return repr(getattr(value, "_fields", ""))  # those of a named tuple stand for numbers
    if isinstance(value, types.Type | ir.Type | ir.Constant):
        return str(value)
    if hasattr(value, "targetoptions"):
        return repr(sorted((name, _told(one)) for name, one in value.targetoptions.items()))
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
