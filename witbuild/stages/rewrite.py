"""Change captions as some published sets did; a pair whose caption changes has another key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from witbuild.stage import MapStage, Part, Task

if TYPE_CHECKING:
    import pyarrow as pa

_OF_THE_CAPTION = ("query_ids", "clip_score")
"""Columns that say nothing of another caption."""


class Rewrite(MapStage):
    """Change captions: brackets, sizes, phrases, handles, case, accents, in the order of the parameters."""

    name: ClassVar = "rewrite"
    reads: ClassVar = ("pairs",)
    output: ClassVar = "pairs"

    brackets: bool = False
    """Remove what stands in round or square brackets."""
    resolutions: bool = False
    """Remove sizes of images, such as 1920x1080."""
    phrases: tuple[str, ...] = ()
    """Remove these, whatever their case, where they stand as whole words."""
    handles: str = ""
    """What stands for each name of an account, a word that begins with @; empty: they stay."""
    lower_case: bool = False
    """Put all letters in lower case."""
    ascii: bool = False
    """Take accents off and leave out every character that is then not ASCII."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError(f"nothing to do; give at least one of {', '.join(type(self).model_fields)}")
        return self

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Rewrite a part; a pair that is left without a caption is dropped for `no_caption`."""
        import pyarrow.compute as pc

        from witbuild.io import tables

        captions = self.rewritten(table["caption"])
        changed = pc.not_equal(captions, table["caption"])
        table = _with_captions(table, captions, changed)
        kept = tables.filtered(table, pc.not_equal(table["caption"], ""))
        return Part(kept, {"no_caption": table.num_rows - kept.num_rows})

    def rewritten(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return captions as they are to be."""
        import pyarrow.compute as pc

        from witbuild.text import rewriting

        texts = rewriting.without_brackets(texts) if self.brackets else texts
        texts = rewriting.without_resolutions(texts) if self.resolutions else texts
        texts = rewriting.without_phrases(texts, self.phrases) if self.phrases else texts
        texts = rewriting.with_handles_as(texts, self.handles) if self.handles else texts
        texts = pc.utf8_lower(texts) if self.lower_case else texts
        return rewriting.ascii_only(texts) if self.ascii else texts


def _with_captions(table: pa.Table, captions: pa.ChunkedArray, changed: pa.ChunkedArray) -> pa.Table:
    """Return a table with other captions, and with what follows from them: new keys, null what spoke of the old."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from witbuild.text.keys import pair_key

    pairs = zip(table["url"].to_pylist(), captions.to_pylist(), strict=True)
    keys = pa.array([pair_key(*pair) for pair in pairs], pa.string())
    columns = {"caption": captions.combine_chunks(), "key": keys}
    for name in _OF_THE_CAPTION:
        kind = table.schema.field(name).type
        columns[name] = pc.if_else(changed.combine_chunks(), pa.scalar(None, kind), table[name].combine_chunks())
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    return table
