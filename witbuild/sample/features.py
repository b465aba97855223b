"""What Hugging Face `datasets` calls features: the names and types of a sample's fields, said instead of guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.sample.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable

IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
"""How `datasets` stores an image in Arrow and parquet."""

ROWS = pa.schema([pa.field("image", IMAGE), *RECORD])
"""A sample as a row of a parquet shard; `datasets` knows an image only by a field that may be null."""


def card_features(schema: Iterable[pa.Field]) -> list[dict[str, Any]]:
    """Return fields as `dataset_info.features` of a dataset card lists them.

    Example:
        >>> card_features([pa.field("a", pa.int32()), pa.field("b", pa.list_(pa.string())), pa.field("c", IMAGE)])
        [{'name': 'a', 'dtype': 'int32'}, {'name': 'b', 'sequence': 'string'}, {'name': 'c', 'dtype': 'image'}]
    """
    return [{"name": field.name, **_card_type(field.type)} for field in schema]


def _card_type(kind: pa.DataType) -> dict[str, Any]:
    if kind == IMAGE:
        return {"dtype": "image"}
    if pa.types.is_struct(kind):
        return {"struct": card_features(kind)}
    return {"sequence": str(kind.value_type)} if pa.types.is_list(kind) else {"dtype": str(kind)}


def arrow_features(schema: Iterable[pa.Field]) -> dict[str, Any]:
    """Return fields as the key `huggingface` of a parquet file's metadata holds them.

    Example:
        >>> arrow_features([pa.field("a", pa.int32()), pa.field("c", IMAGE)])
        {'a': {'dtype': 'int32', '_type': 'Value'}, 'c': {'_type': 'Image'}}
    """
    return {field.name: _arrow_type(field.type) for field in schema}


def _arrow_type(kind: pa.DataType) -> dict[str, Any]:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": _arrow_type(kind.value_type), "_type": "Sequence"}
    return {"dtype": str(kind), "_type": "Value"}


def tar_features(image_format: str) -> list[dict[str, Any]]:
    """Return the features of a sample in a tar: its members by extension, and where it came from."""
    members = [pa.field(image_format, IMAGE), pa.field("json", pa.struct(list(RECORD))), pa.field("txt", pa.string())]
    return card_features([*members, pa.field("__key__", pa.string()), pa.field("__url__", pa.string())])
