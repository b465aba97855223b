"""Drop pairs by declared rules; the first rule that a pair fails names its drop.

    rules:
      - min_words: 3
      - language: [en]
      - url_extension_not: [svg, gif]

The rules stand in `witbuild.stages.filter.rules.RULES` and, with what each asks, in docs/filter.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, field_validator

from witbuild.stage import MapStage, Part, Task

if TYPE_CHECKING:
    import pyarrow as pa


class Filter(MapStage):
    """Drop pairs by rules on caption, URL, licence and size; the first rule that fails names the drop."""

    name: ClassVar = "filter"
    reads: ClassVar = ("pairs",)
    output: ClassVar = "pairs"

    rules: tuple[dict[str, Any], ...] = Field(..., min_length=1)
    """Rules in order, each a rule's name with its argument, such as `min_words: 3`; docs/filter.md has them all."""

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        from witbuild.stages.filter.rules import checked

        return tuple(checked(rule) for rule in rules)

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Apply the rules one after the other, each to what those before it kept."""
        from witbuild.stages.filter.rules import RULES

        dropped: dict[str, int] = {}
        for name, argument in (item for rule in self.rules for item in rule.items()):
            rows = table.num_rows
            table = RULES[name].apply(table, argument)
            if table.num_rows < rows:
                dropped[name] = dropped.get(name, 0) + rows - table.num_rows
        return Part(table, dropped)
