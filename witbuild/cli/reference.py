"""What a stage is, for a person: from its docstrings alone."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, get_args, get_origin

from witbuild.cli.options import plain_type

if TYPE_CHECKING:
    from typing import Any

    from pydantic.fields import FieldInfo

    from witbuild.stage import Stage


def describe(stage: type[Stage]) -> str:
    """Return a stage's sentence, what it reads and writes, and its parameters, as Markdown."""
    reads = ", ".join([*stage.reads, *(f"{kind} (when there)" for kind in stage.optional)]) or "nothing"
    writes = ", ".join([stage.output, *stage.files])
    head = f"## {stage.name}\n\n{inspect.getdoc(stage) or ''}\n\nReads {reads}; writes {writes}."
    parameters = "\n".join(_parameter(name, field) for name, field in stage.model_fields.items())
    return f"{head}\n\n{parameters}" if parameters else head


def _parameter(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    text = " ".join((field.description or "").split())
    return textwrap.fill(
        f"- `{name}` ({type_name(field.annotation)}, {default}): {text}",
        120,
        subsequent_indent="  ",
        break_long_words=False,
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "default none" if value in (None, "", (), [], {}) else f"default `{value}`"


def type_name(annotation: Any) -> str:
    """Return a type as a person reads it.

    Example:
        >>> from typing import Literal
        >>> type_name(Literal["a", "b"]), type_name(int | None), type_name(list[str])
        ('a | b', 'int', 'list of str')
    """
    kind = plain_type(annotation)
    inner = get_args(kind)
    if get_origin(kind) in {list, tuple}:
        return f"list of {type_name(inner[0])}"
    if get_origin(kind) is dict:
        return f"mapping of {type_name(inner[0])} to {type_name(inner[1])}"
    if inner:
        return " | ".join(type_name(each) if isinstance(each, type) else str(each) for each in inner)
    return getattr(kind, "__name__", str(kind))
