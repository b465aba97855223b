"""A stage that is not ours: all that a recipe needs to know is where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from witbuild.stage import MapStage, Part, Task

if TYPE_CHECKING:
    import pyarrow as pa


class Shout(MapStage):
    """Puts a mark at the end of every caption."""

    name: ClassVar[str] = "shout"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "pairs"

    mark: str = "!"
    """What is put there."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        place = table.schema.get_field_index("caption")
        louder = pc.binary_join_element_wise(table["caption"], self.mark, "")
        return Part(table.set_column(place, table.schema.field(place), louder))
