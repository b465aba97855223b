"""What a sample says of itself: the member `key.json` and, row by row, the parquet beside each shard.

Every field is there in every sample with one type and no null, because readers that guess types from the
first samples fail on anything else: what is not known is "" for a text, -1 for a number, [] for a list.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from witbuild.errors import InputError
from witbuild.schema import column

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD = pa.schema(
    [
        column("key", pa.string(), "stem of the members' names; 128-bit hash of (url, caption), 32 hex digits"),
        column("url", pa.string(), "of the image, as found"),
        column("caption", pa.string(), "the same text as the member .txt"),
        column(
            "caption_source",
            pa.string(),
            "alt | title | figcaption | og | jsonld | api | list | folder | sitemap",
        ),
        column("queries", pa.list_(pa.field("item", pa.string(), nullable=False)), "matched, in rank order"),
        column("page_url", pa.string(), "page where the pair was found"),
        column("source", pa.string(), "kind of source: wat | warc | list | site | commons | openverse | folder"),
        column("source_file", pa.string(), "archive, list or API that the pair came from"),
        column("source_offset", pa.int64(), "byte offset of the page's record, or row number in a list"),
        column("source_length", pa.int64(), "byte length of the page's record"),
        column("licence", pa.string(), "licence evidence as found: a URL or a short name"),
        column("attribution", pa.string(), "whom to name, in the source's own words: creator, credit line"),
        column("opt_out", pa.string(), "opt-out signals as found, comma separated"),
        column("language", pa.string(), "BCP 47 language of the caption"),
        column("width", pa.int32(), "pixels of the image in the tar"),
        column("height", pa.int32(), "pixels of the image in the tar"),
        column("original_width", pa.int32(), "pixels of the image as served"),
        column("original_height", pa.int32(), "pixels of the image as served"),
        column("sha256", pa.string(), "of the image's bytes as served, hex"),
        column("phash", pa.string(), "64-bit perceptual hash of the image in the tar, 16 hex digits"),
        column("carried", pa.string(), "columns of a list that `carry` asked for, as a JSON object"),
    ],
)

SIDECAR = pa.schema(
    [
        *RECORD,
        column("uid", pa.string(), "DataComp's name of the key"),
        column("status", pa.string(), "img2dataset's; always success, as other pairs have no sample"),
        column("image_format", pa.string(), "extension of the image's member"),
        column("image_bytes", pa.int32(), "byte length of the image's member"),
        column("tar_bytes", pa.int64(), "that the sample takes in a tar; the samples of a tar follow without a gap"),
        column("sample_sha256", pa.string(), "of those bytes, headers and padding included, hex"),
    ],
)

_LATER = frozenset({"carried"})
"""Fields that data sets of earlier versions lack."""
_RENAMED = {"sha256": "original_sha256"}
_CONTROL = "[\\x00-\\x1f]"


def records(pairs: pa.Table, queries: pa.Array | pa.ChunkedArray | None) -> pa.Table:
    """Return the record of each pair, n rows of RECORD.

    Args:
        pairs: n rows of schema.PAIRS.
        queries: text by query_id, or None when they are not known: then every list is empty.

    Raises:
        InputError: a pair was matched with a longer query list than this one.
    """
    columns = [_filled(pairs, field) for field in RECORD if field.name not in ("queries", "phash")]
    columns.insert(RECORD.get_field_index("queries"), _queries(pairs["query_ids"], queries))
    columns.insert(RECORD.get_field_index("phash"), _hex(pairs["phash"]))
    return pa.Table.from_arrays(columns, schema=RECORD)


def told(table: pa.Table) -> pa.Table:
    """Return the record of each row of a finished data set: its fields of RECORD, cast; one may lack later ones."""
    schema = pa.schema([field for field in RECORD if field.name in table.column_names or field.name not in _LATER])
    return table.select(schema.names).cast(schema)


def _filled(pairs: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    found = pairs[_RENAMED.get(field.name, field.name)]
    return found.fill_null("" if pa.types.is_string(field.type) else -1)


def _queries(query_ids: pa.ChunkedArray, texts: pa.Array | pa.ChunkedArray | None) -> pa.Array:
    lists, kind = _flat(query_ids), RECORD.field("queries").type
    if texts is None:
        return pa.array([[]] * len(lists), kind)
    largest = pc.max(lists.flatten()).as_py()
    if largest is not None and largest >= len(texts):
        raise InputError(
            f"a pair matches query {largest} and the query list has {len(texts)}: "
            "the pairs were matched with another list; give shard the one that match used"
        )
    sizes = pc.list_value_length(lists).fill_null(0).cast(pa.int64())
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(sizes)]).cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, _flat(pc.take(texts, lists.flatten())), type=kind)


def _hex(values: pa.ChunkedArray) -> pa.Array:
    return pa.array(["" if value is None else f"{value:016x}" for value in values.to_pylist()], pa.string())


def _flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def render(table: pa.Table) -> pa.Array:
    r"""Return each row as one line of JSON: UTF-8, fields in the schema's order, no spaces.

    The same texts as `json.dumps(row, ensure_ascii=False, separators=(",", ":"))`, column by column in Arrow.

    Example:
        >>> render(pa.table({"a": ['x"y'], "b": [1], "c": [["p", "q"]]})).to_pylist()
        ['{"a":"x\\"y","b":1,"c":["p","q"]}']
    """
    pieces: list[pa.Array | str] = []
    for field in table.schema:
        pieces += [f'{"," if pieces else "{"}"{field.name}":', _values(_flat(table[field.name]))]
    return pc.binary_join_element_wise(*pieces, "}", "")


def _values(values: pa.Array) -> pa.Array:
    """Return JSON values of a column of texts, integers or lists of texts."""
    if pa.types.is_string(values.type):
        return _quoted(values)
    if pa.types.is_list(values.type):
        items = pa.ListArray.from_arrays(values.offsets, _quoted(values.values))
        return pc.binary_join_element_wise("[", pc.binary_join(items, ","), "]", "")
    return values.cast(pa.string())


def _quoted(texts: pa.Array) -> pa.Array:
    """Return JSON strings; the rare column with control characters takes the slow way."""
    if pc.any(pc.match_substring_regex(texts, _CONTROL)).as_py():
        return pa.array([json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()], pa.string())
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', escaped, '"', "")


def parse(rendered: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the records that lines of JSON hold, n rows of RECORD: the inverse of `render`."""
    if len(rendered) == 0:
        return RECORD.empty_table()
    lines = "\n".join(rendered.to_pylist()).encode()
    nullable = pa.schema([pa.field(field.name, _loose(field.type)) for field in RECORD])
    table = pyarrow.json.read_json(
        io.BytesIO(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=min(len(lines) + 1, 1 << 26)),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=nullable, unexpected_field_behavior="error"),
    )
    return table.cast(RECORD)


def _loose(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.string()) if pa.types.is_list(kind) else kind


class Place(NamedTuple):
    """What a sample takes in a tar, headers and padding included."""

    tar_bytes: int
    sha256: str
    """Of those bytes, hex."""


def sidecar(samples: pa.Table, places: Sequence[Place]) -> pa.Table:
    """Return the table beside a shard, n rows of SIDECAR.

    Args:
        samples: n rows of schema.SAMPLES.
        places: n, of those samples.
    """
    table = parse(samples["record"])
    success = pa.array(["success"] * len(table), pa.string())
    image = (samples[name] for name in ("image_format", "image_bytes"))
    sizes, digests = pa.array([place.tar_bytes for place in places]), pa.array([place.sha256 for place in places])
    columns = [*table.columns, table["key"], success, *image, sizes, digests]
    return pa.Table.from_arrays(columns, schema=SIDECAR)
