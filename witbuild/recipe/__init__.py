"""YAML -> stages; an error names file, item, field, what was found and what is expected.

registry.py  name -> stage class
yaml.py      YAML text -> values and the line of each
recipe.py    values -> Recipe
"""

from witbuild.recipe.recipe import Recipe, make_stage
from witbuild.recipe.registry import recipe_names, shipped, stage_class, stage_names

__all__ = ["Recipe", "make_stage", "recipe_names", "shipped", "stage_class", "stage_names"]
