"""A recipe: a name, inputs from elsewhere, and stages in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from witbuild.errors import InputError, RecipeError
from witbuild.io import store
from witbuild.recipe.registry import recipe_names, shipped, stage_class
from witbuild.recipe.yaml import Place, line_of, load
from witbuild.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from witbuild.stage import Stage

_FIELDS = ("name", "description", "inputs", "stages")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is to be made; reading and writing it is loss-free."""

    stages: tuple[Stage, ...]
    name: str = ""
    description: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Kind of table or file -> another run, a folder, a glob or a file that holds it."""

    @staticmethod
    def load(path: str) -> Recipe:
        """Read a recipe from a file, or one that ships by its bare name.

        Raises:
            RecipeError: one line with file, line, place, what was found and what is expected.
        """
        bare = "/" not in path and not path.endswith((".yaml", ".yml"))
        if bare and not store.is_file(path):
            if path not in recipe_names():
                raise RecipeError(f"{path}: no such file, and no recipe of that name ships; there are {_shipped()}")
            path = str(shipped("pipelines", f"{path}.yaml"))
        try:
            return Recipe.parse(store.read_bytes(path).decode(), path)
        except InputError as error:
            raise RecipeError(f"{error}; a recipe is a YAML file or the name of one that ships") from error
        except UnicodeDecodeError as error:
            raise RecipeError(f"{path}: not UTF-8 at byte {error.start}") from error

    @staticmethod
    def parse(text: str, file: str = "recipe") -> Recipe:
        """Read a recipe from YAML text.

        Example:
            >>> Recipe.parse("stages: [{mach: {}}]", "x.yaml")
            Traceback (most recent call last):
            ...
            witbuild.errors.RecipeError: x.yaml:1: stages[0]: unknown stage 'mach'; did you mean 'match'? Known: \
queries, harvest, match, rewrite, filter, frequency, dedup, decontaminate, balance, fetch, embed, score, \
shard, train, eval, objectives; or my_package.module:MyStage
        """
        value, lines = load(text, file)
        return _Reader(file, lines).recipe(value)

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every parameter that is not the default written out."""
        items = [
            {registered_name(stage): stage.model_dump(mode="json", exclude_defaults=True)} for stage in self.stages
        ]
        whole = {
            "name": self.name,
            "description": self.description,
            "inputs": dict(self.inputs),
            "stages": items,
        }
        return yaml.safe_dump({key: value for key, value in whole.items() if value}, sort_keys=False, width=120)

    def with_overrides(self, overrides: Iterable[str]) -> Recipe:
        """Return the recipe with `stage.field=value` set in every stage of that name; values are YAML.

        Raises:
            RecipeError: no such stage, field or value.
        """
        names = {stage.name for stage in self.stages}
        changes: dict[str, dict[str, Any]] = {}
        for override in overrides:
            name, parameter, value = _override(override, names)
            changes.setdefault(name, {})[parameter] = value
        return replace(self, stages=tuple(_overridden(stage, changes.get(stage.name, {})) for stage in self.stages))

    def without(self, names: Iterable[str]) -> Recipe:
        r"""Return the recipe without the stages of some names; `filter.min_words` leaves out one rule of every filter.

        Raises:
            RecipeError: there is no such stage or rule.

        Example:
            >>> recipe = Recipe.parse("stages: [match, {filter: {rules: [{min_words: 3}, {has_noun: true}]}}]")
            >>> recipe.without(["match", "filter.has_noun"]).to_yaml()
            'stages:\n- filter:\n    rules:\n    - min_words: 3\n'
        """
        recipe = self
        for name in names:
            stages = tuple(stage for each in recipe.stages for stage in _left(each, *name.partition(".")[::2]))
            if stages == recipe.stages:
                raise RecipeError(f"--without {name}: the recipe has no such stage or rule; {_parts(recipe)}")
            recipe = replace(recipe, stages=stages)
        return recipe


def _shipped() -> str:
    return ", ".join(recipe_names())


def _left(stage: Stage, name: str, rule: str) -> tuple[Stage, ...]:
    """Return what is left of a stage when all of a name go, or a rule of theirs."""
    if stage.name != name:
        return (stage,)
    rules = [one for one in getattr(stage, "rules", ()) if rule not in one] if rule else []
    values = {**stage.model_dump(exclude_defaults=True), "rules": rules}
    return (make_stage(registered_name(stage), values, "--without"),) if rules else ()


def _parts(recipe: Recipe) -> str:
    rules = [f"filter.{name}" for stage in recipe.stages for rule in getattr(stage, "rules", ()) for name in rule]
    return f"it has {', '.join(dict.fromkeys([*(stage.name for stage in recipe.stages), *rules]))}"


def registered_name(stage: Stage) -> str:
    """Return the name by which a recipe finds a stage."""
    here = f"{type(stage).__module__}:{type(stage).__qualname__}"
    return stage.name if STAGES.get(stage.name) == here else here


def _override(text: str, names: Iterable[str]) -> tuple[str, str, Any]:
    """Return stage, field and value of an override, for a stage of one of some names."""
    target, equals, value = text.partition("=")
    name, dot, parameter = target.partition(".")
    if not equals or not dot:
        raise RecipeError(f"--set {text}: expected stage.field=value")
    if name not in names:
        raise RecipeError(f"--set {text}: the recipe has no stage {name!r}")
    return name, parameter, load(value, f"--set {text}")[0]


def _overridden(stage: Stage, changes: Mapping[str, Any]) -> Stage:
    """Return a stage with all changes at once: each alone might leave one that cannot be."""
    if not changes:
        return stage
    return make_stage(registered_name(stage), {**stage.model_dump(exclude_defaults=True), **changes}, "--set")


def make_stage(name: str, values: Mapping[str, Any], where: str = "") -> Stage:
    """Return a stage with its parameters, checked.

    Raises:
        RecipeError: unknown stage, unknown field or wrong value; says where.
    """
    return _Reader(where or name, {}).stage(name, dict(values), ())


@dataclass(frozen=True)
class _Reader:
    """Turns values into a recipe and knows where each came from."""

    file: str
    lines: dict[Place, int]

    def recipe(self, value: Any) -> Recipe:
        if not isinstance(value, dict):
            raise self.error((), f"found {_shown(value)}, expected a mapping with `stages`")
        for key in value:
            if key not in _FIELDS:
                raise self.error((str(key),), f"unknown field; expected one of {', '.join(_FIELDS)}")
        items = value.get("stages")
        if not isinstance(items, list) or not items:
            raise self.error(("stages",), f"found {_shown(items)}, expected a list of stages")
        stages = tuple(self.item(item, ("stages", index)) for index, item in enumerate(items))
        return Recipe(
            stages=stages,
            name=self.text(value, "name"),
            description=self.text(value, "description"),
            inputs=self.inputs(value.get("inputs") or {}),
        )

    def text(self, value: Mapping[str, Any], key: str) -> str:
        found = value.get(key, "")
        if not isinstance(found, str):
            raise self.error((key,), f"found {_shown(found)}, expected text")
        return found

    def inputs(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(path, str) for path in value.values()):
            raise self.error(("inputs",), f"found {_shown(value)}, expected kind: path")
        return {str(kind): path for kind, path in value.items()}

    def item(self, item: Any, place: Place) -> Stage:
        if isinstance(item, str):
            return self.stage(item, {}, place)
        if not isinstance(item, dict) or len(item) != 1:
            raise self.error(place, f"found {_shown(item)}, expected one stage: `name` or `name: {{field: value}}`")
        ((name, values),) = item.items()
        if not isinstance(values, dict | None):
            raise self.error((*place, str(name)), f"found {_shown(values)}, expected a mapping of fields")
        return self.stage(str(name), values or {}, place)

    def stage(self, name: str, values: dict[str, Any], place: Place) -> Stage:
        try:
            return stage_class(name).model_validate(values)
        except RecipeError as error:
            raise self.error(place, str(error)) from error
        except ValidationError as error:
            raise self.error((*place, name), *_problem(error, stage_class(name))) from error

    def error(self, place: Place, problem: str, inner: Place = ()) -> RecipeError:
        line = line_of((*place, *inner), self.lines)
        at = f"{self.file}:{line}" if line else self.file
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in (*place, *inner)).lstrip(".")
        return RecipeError(f"{at}: {path}: {problem}" if path else f"{at}: {problem}")


def _problem(error: ValidationError, stage: type[Stage]) -> tuple[str, Place]:
    """Return the first problem in words, and its place in the stage."""
    first = error.errors(include_url=False)[0]
    inner = tuple(
        step
        for step in first["loc"]
        if isinstance(step, int) or str(step) in stage.model_fields or step == first["loc"][0]
    )
    if first["type"] == "extra_forbidden":
        return f"unknown field; {stage.name} has {', '.join(stage.model_fields) or 'none'}", inner
    said = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "value_error":
        return f"{said.removeprefix('value error, ')}; found {_shown(first['input'])}", inner
    return f"found {_shown(first['input'])}, expected: {said.removeprefix('input should be ')}", inner


def _shown(value: Any) -> str:
    """Return a value as a person wrote it, cut when long."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
