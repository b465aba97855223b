"""Drop pairs by declared rules; the first rule that a pair fails names its drop.

    rules:
      - min_words: 3
      - language: [en]
      - url_extension_not: [svg, gif]

The rules stand in `witbuild.stages.filter.rules.RULES` and, with what each asks, in docs/filter.md.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from witbuild.stage import MapStage, Part, Task, digested

if TYPE_CHECKING:
    import pyarrow as pa


class Filter(MapStage):
    """Drop pairs by rules on caption, URL, licence and size; the first rule that fails names the drop."""

    name: ClassVar = "filter"
    reads: ClassVar = ("pairs",)
    output: ClassVar = "pairs"

    rules: tuple[dict[str, Any], ...] = Field(..., min_length=1)
    """Rules in order, each a rule's name with its argument, such as `min_words: 3`; docs/filter.md has them all."""
    word_lists: dict[str, str] = digested({})
    """Name -> file of words, plain or packed, by which the rules `known_words` and `no_words_of` call it."""

    @field_validator("word_lists")
    @classmethod
    def _used(cls, paths: dict[str, str], others: ValidationInfo) -> dict[str, str]:
        """Keep the lists that a rule names: what nothing reads cannot change the result."""
        from witbuild.stages.filter.rules import RULES

        items = [item for rule in others.data.get("rules", ()) for item in rule.items()]
        named = {one for name, argument in items if RULES[name].listed for one in argument}
        return {name: path for name, path in paths.items() if name in named}

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        from witbuild.stages.filter.rules import checked

        return tuple(checked(rule) for rule in rules)

    @model_validator(mode="after")
    def _listed(self) -> Self:
        self._arguments()
        return self

    def _arguments(self) -> list[tuple[str, Any]]:
        """Return each rule's name and argument, in order, with the paths of word lists."""
        from witbuild.stages.filter.rules import RULES

        items = [item for rule in self.rules for item in rule.items()]
        return [(name, RULES[name].with_paths(argument, self.word_lists)) for name, argument in items]

    def check(self) -> None:
        """Raise when a word list is not there."""
        from witbuild.errors import InputError
        from witbuild.io import store

        for name, path in self.word_lists.items():
            if not store.is_file(path):
                raise InputError(f"{path}: no such file; it is the word list {name!r} (stage filter, `word_lists`)")

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Apply the rules one after the other, each to what those before it kept."""
        from witbuild.stages.filter.rules import RULES

        dropped: Counter[str] = Counter()
        for name, argument in self._arguments():
            table, lost = RULES[name].apply(name, table, argument)
            dropped.update({reason: rows for reason, rows in lost.items() if rows})
        return Part(table, dict(dropped))
