"""YAML text -> plain values, and the line on which each stands."""

from __future__ import annotations

from typing import Any

import yaml

from witbuild.errors import RecipeError

Place = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""


def load(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    r"""Return the value of a YAML document and the line of every place in it.

    Raises:
        RecipeError: the text is not YAML, or a key stands twice; names file and line.

    Example:
        >>> value, lines = load("a:\n  - b: 1\n", "x.yaml")
        >>> value, lines["a", 0, "b"]
        ({'a': [{'b': 1}]}, 2)
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise RecipeError(f"{file}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    lines: dict[Place, int] = {}
    if node is not None:
        _walk(node, (), lines, file)
    return value, lines


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], file: str) -> None:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _walk(child, (*place, index), lines, file)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            inner = (*place, str(key.value))
            if inner in lines:
                raise RecipeError(f"{file}:{key.start_mark.line + 1}: {key.value!r} stands twice")
            _walk(child, inner, lines, file)
            lines[inner] = key.start_mark.line + 1


def line_of(place: Place, lines: dict[Place, int]) -> int | None:
    """Return the line of a place, or of the nearest place around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)
