"""croissant.json: the data set in the Croissant format, version 1.0 (MLCommons, 2024, docs.mlcommons.org/croissant).

Tars: a record is an image member, joined by its name with the row of `metadata` that has the rest.
Parquet: a record is a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.sample.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.release.about import About
    from witbuild.release.dataset import Dataset, Shard

_IMAGES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_CR = "cr:"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "citeAs": "cr:citeAs",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: _CR + name
        for name in (
            *(
                "column",
                "equivalentProperty",
                "extract",
                "field",
                "fileProperty",
                "fileObject",
                "fileSet",
                "format",
                "includes",
            ),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
            *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
        )
    },
}


def croissant(dataset: Dataset, about: About) -> dict[str, Any]:
    """Return the content of croissant.json."""
    said = {"license": about.licence, "url": about.url, "datePublished": about.published}
    creator = {"creator": {"@type": "sc:Organization", "name": about.creator}} if about.creator else {}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.name,
        "description": about.description,
        "version": about.version,
        **{name: value for name, value in said.items() if value},
        **creator,
        "distribution": [*map(_shard, dataset.shards), *_sets(dataset)],
        "recordSet": [_record_set(dataset)],
    }


def _shard(shard: Shard) -> dict[str, Any]:
    kind = "application/x-tar" if shard.path.endswith(".tar") else "application/x-parquet"
    place = {"@id": shard.path, "name": shard.path, "contentUrl": shard.path, "encodingFormat": kind}
    return {"@type": "cr:FileObject", **place, "contentSize": f"{shard.bytes} B", "sha256": shard.sha256}


def _sets(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Yield the sets of files that records are read from."""
    if not dataset.in_tars:
        yield _set("rows", "application/x-parquet", dataset.shards[0].path)
        return
    tars = [{"@id": shard.path} for shard in dataset.shards]
    extension = dataset.image_format
    members = {"includes": f"*.{extension}", "containedIn": tars if len(tars) > 1 else tars[0]}
    yield {"@type": "cr:FileSet", "@id": "images", "name": "images", "encodingFormat": _IMAGES[extension], **members}
    yield _set("metadata", "application/x-parquet", dataset.shards[0].metadata)


def _set(name: str, kind: str, one: str) -> dict[str, Any]:
    """Return the set of all parquet files that lie where one does."""
    folder, slash, _ = one.rpartition("/")
    includes = f"{folder}/*.parquet" if slash else "[0-9]*.parquet"
    return {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": kind, "includes": includes}


def _record_set(dataset: Dataset) -> dict[str, Any]:
    rows = "metadata" if dataset.in_tars else "rows"
    others = [_column(rows, field) for field in RECORD if field.name != "key"]
    first = _joined(dataset.image_format) if dataset.in_tars else _in_row()
    what = "A sample: an image, its caption, and where both come from."
    key = {"key": {"@id": "samples/key"}}
    return {
        "@type": "cr:RecordSet", "@id": "samples", "name": "samples", "description": what, **key,
        "field": [*first, *others],
    }  # fmt: skip


def _joined(extension: str) -> list[dict[str, Any]]:
    """Return key and image of samples in tars: the key is the member's name, which finds the row."""
    name = {"extract": {"fileProperty": "filename"}, "transform": {"regex": rf"^([0-9a-f]+)(?:\.{extension})?$"}}
    other = {"references": {"fileSet": {"@id": "metadata"}, "extract": {"column": "key"}}}
    image = {"source": {"fileSet": {"@id": "images"}, "extract": {"fileProperty": "content"}}}
    key = {"source": {"fileSet": {"@id": "images"}, **name}, **other}
    return [_field("key", "sc:Text", key), _field("image", "sc:ImageObject", image)]


def _in_row() -> list[dict[str, Any]]:
    image = {"fileSet": {"@id": "rows"}, "extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
    return [_column("rows", RECORD.field("key")), _field("image", "sc:ImageObject", {"source": image})]


def _column(rows: str, field: pa.Field) -> dict[str, Any]:
    """Return the field of a record's column."""
    repeated = pa.types.is_list(field.type)
    kind = "sc:Integer" if pa.types.is_integer(field.type) else "sc:Text"
    source = {"source": {"fileSet": {"@id": rows}, "extract": {"column": field.name}}}
    described = {"description": field.metadata[b"comment"].decode(), **({"repeated": True} if repeated else {})}
    return _field(field.name, kind, {**described, **source})


def _field(name: str, kind: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"samples/{name}", "name": name, "dataType": kind, **more}
