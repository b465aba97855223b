"""Where tasks run: the options that choose the engine, the same for every command that works."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.options import with_signature
from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from witbuild.engine import Engine

Workers = Annotated[
    int, typer.Option("--workers", help="Tasks at a time; 0: as many as there are cores.", metavar="N", min=0)
]
EngineName = Annotated[
    str, typer.Option("--engine", help="Where tasks run: on this machine, or on Ray.", metavar="local|ray")
]
Address = Annotated[
    str,
    typer.Option("--address", help="Of the Ray cluster, or auto; without it Ray is started here.", metavar="HOST:PORT"),
]
TaskCpus = Annotated[float, typer.Option("--task-cpus", help="CPUs a task, told to Ray.", metavar="CPUS", min=0.01)]
TaskMemory = Annotated[
    float, typer.Option("--task-memory", help="GiB of memory a task, told to Ray; 0: not told.", metavar="GIB", min=0)
]


@dataclass(frozen=True, kw_only=True)
class Where:
    """The engine and what it is told; nothing here can change what comes out."""

    workers: int = 0
    engine: str = "local"
    address: str = ""
    task_cpus: float = 1.0
    task_memory: float = 0.0

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Where:
        """Return what a command's options say."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def open(self) -> AbstractContextManager[Engine]:
        """Return the engine, not yet entered.

        Raises:
            RecipeError: there is no such engine, or an option is for the other one.
            MissingExtraError: it is not installed.
        """
        if self.engine == "ray":
            return self._ray()
        if self.engine != "local":
            raise RecipeError(f"--engine {self.engine}: expected local or ray")
        for field in fields(self)[2:]:
            if getattr(self, field.name) != field.default:
                raise RecipeError(f"--{field.name.replace('_', '-')} is for --engine ray")
        from witbuild.engine.local import LocalEngine

        return LocalEngine(self.workers)

    def _ray(self) -> AbstractContextManager[Engine]:
        from witbuild.engine.ray import RayEngine

        memory = int(self.task_memory * 2**30)
        return RayEngine(self.address, workers=self.workers, cpus=self.task_cpus, memory_bytes=memory)


OPTIONS: tuple[tuple[str, Any], ...] = (
    ("workers", Workers),
    ("engine", EngineName),
    ("address", Address),
    ("task_cpus", TaskCpus),
    ("task_memory", TaskMemory),
)
"""Name and annotation of each."""


def placed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes `where` the options that say so in its place.

    Example:
        >>> def look(run: str, *, where: Where) -> None:
        ...     print(run, where.workers)
        >>> placed(look)("run", workers=2)
        run 2
        >>> [*inspect.signature(placed(look)).parameters]
        ['run', 'workers', 'engine', 'address', 'task_cpus', 'task_memory']
    """

    def call(*given: Any, **values: Any) -> None:
        chosen = {name: values.pop(name, getattr(Where, name)) for name, _ in OPTIONS}
        command(*given, **values, where=Where(**chosen))

    own = inspect.signature(command, eval_str=True).parameters
    taken = [parameter for name, parameter in own.items() if name != "where"]
    made: Callable[..., None] = with_signature(
        call, command.__name__, inspect.getdoc(command) or "", [*taken, *parameters()]
    )
    return made


def parameters() -> list[inspect.Parameter]:
    """Return the options that choose the engine, for commands that are made and not written."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, keyword, default=getattr(Where, name), annotation=kind) for name, kind in OPTIONS]
