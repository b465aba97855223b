"""Rules on the language of the caption; the detector is `witbuild.text.langid`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from witbuild.stages.filter.rules import Mask


def language(table: pa.Table, wanted: list[str]) -> Mask:
    """The caption's language is one of these BCP 47 tags or a dialect of one; `und` is a caption without any."""
    return _one_of(table["language"].to_pylist(), wanted)


def reliable_language(table: pa.Table, wanted: list[str]) -> Mask:
    """The detector is sure that the caption's language is one of these, whatever the caption's source says."""
    from witbuild.text.langid import languages

    return _one_of(languages(table["caption"].to_pylist(), guess=False), wanted)


def _one_of(tags: list[str], wanted: list[str]) -> Mask:
    from witbuild.text.langid import is_one_of

    fits = {tag: is_one_of(tag, wanted) for tag in set(tags)}
    return np.array([fits[tag] for tag in tags], np.bool_)


def with_languages(table: pa.Table, _argument: object = None) -> pa.Table:
    """Return the table with the language of every caption: what its source said, else what the detector says."""
    from witbuild.text.langid import languages

    unknown = pc.is_null(table["language"])
    detected = pa.array(languages(table["caption"].filter(unknown).to_pylist()), pa.string())
    place = table.schema.get_field_index("language")
    filled = pc.replace_with_mask(table["language"].combine_chunks(), unknown.combine_chunks(), detected)
    return table.set_column(place, table.schema.field(place), filled)
