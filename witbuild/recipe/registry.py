"""Where a stage's name leads: the registry, or `my_package.module:MyStage` of a third party."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from witbuild.errors import RecipeError
from witbuild.stages import STAGES

if TYPE_CHECKING:
    from witbuild.stage import Stage


def stage_names() -> list[str]:
    """Return the names of the stages that ship, in the order of the work."""
    return list(STAGES)


def stage_class(name: str) -> type[Stage]:
    """Return the class of a stage.

    Raises:
        RecipeError: there is no such stage.

    Example:
        >>> stage_class("mach")
        Traceback (most recent call last):
        ...
        witbuild.errors.RecipeError: unknown stage 'mach'; did you mean 'match'? Known: queries, harvest, match, \
rewrite, filter, frequency, dedup, decontaminate, balance, fetch, embed, \
score, shard, train, eval, objectives; or my_package.module:MyStage
    """
    from witbuild.stage import Stage

    target = STAGES.get(name, name)
    module_name, _, class_name = target.partition(":")
    if not class_name:
        raise RecipeError(_unknown(name))
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ModuleNotFoundError, AttributeError) as error:
        if name in STAGES:
            raise
        raise RecipeError(f"stage {name!r}: cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, Stage)):
        raise RecipeError(f"stage {name!r}: {found!r} is not a subclass of witbuild.stage.Stage")
    return found


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, STAGES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown stage {name!r}{hint} Known: {', '.join(STAGES)}; or my_package.module:MyStage"


def shipped(folder: str, name: str = "") -> Path:
    """Return the path of a file of `pipelines` or `queries`, or of the folder, installed or in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / folder / name
    return installed if installed.exists() else package.parent / folder / name


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship, sorted."""
    return sorted(path.stem for path in shipped("pipelines").glob("*.yaml"))
