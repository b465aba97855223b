"""An earlier run and more to harvest -> a new run; what the earlier one did is not done again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from witbuild.audit.takedown import known
from witbuild.errors import InputError, RecipeError
from witbuild.io import redo, store, tables
from witbuild.io.run import TOMBSTONES
from witbuild.recipe.recipe import registered_name
from witbuild.runner.append import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.recipe import Recipe

HARVEST = "harvest"


def grown(recipe: Recipe, source: str, inputs: Sequence[str]) -> Recipe:
    """Return a recipe that harvests more.

    Args:
        recipe: of the earlier run.
        source: kind of what is new; as the recipe's, since a run has one table of what was found.
        inputs: to be harvested after those that the recipe has.

    Raises:
        RecipeError: the recipe harvests nothing, or another kind of source.
    """
    from witbuild.recipe import make_stage

    places = [place for place, stage in enumerate(recipe.stages) if stage.name == HARVEST]
    if len(places) != 1:
        raise RecipeError(f"the earlier run has {len(places)} stages harvest; update needs one to add to")
    old = recipe.stages[places[0]]
    values = old.model_dump(exclude_defaults=True)
    if values["source"] != source:
        raise RecipeError(f"--source {source}: the earlier run harvests {values['source']}; add more of that")
    values["inputs"] = [*values["inputs"], *(name for name in inputs if name not in values["inputs"])]
    new = make_stage(registered_name(old), values, "--inputs")
    return replace(recipe, stages=(*recipe.stages[: places[0]], new, *recipe.stages[places[0] + 1 :]))


def prepare(earlier: str, out: str, source: str, inputs: Sequence[str]) -> Recipe:
    """Return the recipe of an update, after handing the earlier run's tombstones on.

    Raises:
        InputError: the earlier run is none, or is to be written into itself.
    """
    recipe = recorded(earlier)
    if recipe is None:
        raise InputError(f"{earlier}: not a run directory (it has no recipe.yaml)")
    if store.exists(store.join(out, "recipe.yaml")) and recorded(out) == recipe:
        raise InputError(f"--out {out}: holds the earlier run, or one without anything new; name a new folder")
    redo.finish(earlier)
    _hand_on(earlier, out)
    return grown(recipe, source, inputs)


def _hand_on(earlier: str, out: str) -> None:
    """Add the earlier run's tombstones to those of the new one."""
    import pyarrow as pa

    old, mine = known(earlier), known(out)
    held = {tuple(row.values()) for row in mine.to_pylist()}
    new = [row for row in old.to_pylist() if tuple(row.values()) not in held]
    if new:
        with store.commit(store.join(out, TOMBSTONES)) as partial:
            tables.write(partial, pa.concat_tables([mine, tables.from_rows(new, old.schema)]), dropped={})
