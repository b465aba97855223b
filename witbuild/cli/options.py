"""A stage's parameters -> options of a command; the pydantic model is the only place that describes them."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic_core import PydanticUndefined

from witbuild.recipe.yaml import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic.fields import FieldInfo

    from witbuild.stage import Stage

_PLAIN = (int, float, str)


def plain_type(annotation: Any) -> Any:
    """Return the type under an optional or annotated one.

    Example:
        >>> plain_type(int | None), plain_type(list[str]), plain_type(Literal["a"])
        (<class 'int'>, list[str], typing.Literal['a'])
    """
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return plain_type(kinds[0]) if len(kinds) == 1 else annotation
    return plain_type(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def option(name: str, field: FieldInfo) -> inspect.Parameter:
    """Return a keyword parameter that typer turns into the option of a field."""
    kind, flag = plain_type(field.annotation), f"--{name.replace('_', '-')}"
    text, default = field.description or "", _shown_default(field)
    if kind is bool:
        annotation: Any = Annotated[
            bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", help=text, show_default=default)
        ]
    elif get_origin(kind) in {list, tuple}:
        annotation = Annotated[
            list[str] | None, typer.Option(flag, help=f"{text} [repeat for more]", show_default=default)
        ]
    else:
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        metavar = "|".join(map(str, choices)) or (kind.__name__.upper() if kind in _PLAIN else "YAML")
        plain = kind if kind in _PLAIN else str
        flags = (flag, *_short(flag))
        annotation = Annotated[plain | None, typer.Option(*flags, help=text, metavar=metavar, show_default=default)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _short(flag: str) -> tuple[str, ...]:
    """Return a flag without its unit: `--delay` for `--delay-seconds`."""
    return (flag.removesuffix("-seconds"),) if flag.endswith("-seconds") else ()


def _shown_default(field: FieldInfo) -> str | bool:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value in (None, "", [], {}, ()):
        return False
    return str(value)


def options(stage: type[Stage]) -> list[inspect.Parameter]:
    """Return the options of a stage, one for each parameter."""
    return [option(name, field) for name, field in stage.model_fields.items()]


def given(stage: type[Stage], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that were given on the command line, as the model takes them.

    Text that is no plain string field is read as YAML, so that `--rules "min_words: 3"` is a mapping.
    """
    out: dict[str, Any] = {}
    for name, field in stage.model_fields.items():
        value = values.get(name)
        if value is None or value == []:
            continue
        kind = plain_type(field.annotation)
        out[name] = [_read(item, kind, name) for item in value] if isinstance(value, list) else _read(value, kind, name)
    return out


def _read(value: Any, kind: Any, name: str) -> Any:
    """Read a text as YAML unless its field holds text."""
    texts = get_origin(kind) in {list, tuple} and set(get_args(kind)) - {type(Ellipsis)} == {str}
    textual = kind is str or get_origin(kind) is Literal or texts
    if not isinstance(value, str) or textual:
        return value
    return load(value, f"--{name.replace('_', '-')}")[0]


def with_signature(function: Any, name: str, doc: str, parameters: Iterable[inspect.Parameter]) -> Any:
    """Give a function that takes keywords the signature that typer reads."""
    parameters = list(parameters)
    function.__signature__ = inspect.Signature(parameters)
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    function.__name__, function.__doc__ = name, doc
    return function
