"""Conditions on the rows of a list, on whatever columns it has: `score >= 2`, `over_18 == false`."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|==|!=|>|<)\s*(.*\S)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, in lower case, an operator and what the column is compared with."""

    column: str
    sign: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises:
            RecipeError: it is none.

        Example:
            >>> Condition.parse("Score >= 2")
            Condition(column='score', sign='>=', value='2')
        """
        found = _CONDITION.fullmatch(text)
        if not found:
            raise RecipeError(f"{text!r} is no condition; expected COLUMN, one of {', '.join(_OPERATORS)}, and a value")
        return cls(found[1].lower(), found[2], found[3])

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row fulfils it: as numbers where both are, else as texts; what a row lacks only differs.

        Example:
            >>> [Condition.parse("score >= 10").holds({"score": score}) for score in (10, "9", "x", None)]
            [True, False, False, False]
            >>> [Condition.parse("over_18 == false").holds({"over_18": value}) for value in (False, "False", 0, True)]
            [True, True, False, False]
            >>> Condition.parse("over_18 != true").holds({})
            True
        """
        found = row.get(self.column)
        if found is None:
            return self.sign == "!="
        mine, other = _number(found), _number(self.value)
        if mine is not None and other is not None:
            return _OPERATORS[self.sign](mine, other)
        if self.sign not in {"==", "!="}:
            return False
        return _OPERATORS[self.sign](str(found).lower(), self.value.lower())


def _number(value: Any) -> float | None:
    """Return a number, given as one or as text; a truth value is none."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
