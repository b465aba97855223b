"""A run directory that grows stage by stage, as the commands of one stage each do it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from witbuild.errors import RunMismatchError
from witbuild.io import store
from witbuild.io.run import RECIPE
from witbuild.recipe import Recipe
from witbuild.recipe.recipe import registered_name
from witbuild.runner.identity import differences, identify, parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.stage import Stage


def grown(recipe: Recipe | None, stage: Stage, inputs: Mapping[str, str], *, again: bool = False) -> Recipe:
    """Return a run's recipe with a stage in it: where it stands already, or else at the end.

    Args:
        recipe: of the run so far, or none when the run is new.
        stage: to be in it.
        inputs: kinds that come from elsewhere than the run.
        again: put it at the end though the recipe has one of that name.

    Raises:
        RunMismatchError: the recipe has the stage with other parameters.
    """
    if recipe is None:
        return Recipe(stages=(stage,), inputs=dict(inputs))
    recipe = replace(recipe, inputs={**recipe.inputs, **inputs})
    same = [place for place, old in enumerate(recipe.stages) if registered_name(old) == registered_name(stage)]
    if again or not same:
        return replace(recipe, stages=(*recipe.stages, stage))
    for place in reversed(same):
        if parameters(recipe.stages[place]) == parameters(stage):
            return replace(recipe, stages=(*recipe.stages[:place], stage, *recipe.stages[place + 1 :]))
    raise RunMismatchError(_refusal(recipe.stages[same[-1]], stage))


def replaced(recipe: Recipe, stage: Stage, inputs: Mapping[str, str]) -> Recipe:
    """Return the recipe with the last stage of that name, and all after it, replaced by one stage and its inputs."""
    recipe = replace(recipe, inputs={**recipe.inputs, **inputs})
    places = [place for place, old in enumerate(recipe.stages) if registered_name(old) == registered_name(stage)]
    return replace(recipe, stages=(*recipe.stages[: places[-1]], stage)) if places else recipe


def recorded(root: str) -> Recipe | None:
    """Return the recipe of a run directory, or none when there is none yet."""
    path = store.join(root, RECIPE)
    return Recipe.parse(store.read_bytes(path).decode(), path) if store.exists(path) else None


def _refusal(old: Stage, new: Stage) -> str:
    found, expected = identify(old, {}), identify(new, {})
    return (
        f"this run has a stage {new.name} with other parameters\n"
        f"  found    {found.fingerprint}\n  expected {expected.fingerprint}\n"
        f"  differs  {'; '.join(differences(found, expected))}\n"
        f"use another --out; or --again to add a second one; or --restart-from {new.name} to delete it and what follows"
    )
