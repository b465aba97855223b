"""A finished img2dataset download becomes the pairs and images of a run; no byte is fetched again.

DIR/00000.tar        key.jpg key.txt key.json: taken as they are, as links where the disk is the same
DIR/00000.parquet    a row for each URL that was tried: url, caption, key, status, error_message, sizes, sha256
DIR/00000_stats.json not needed
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.errors import InputError
from witbuild.stage import Inputs, Part, Stage, Task, digested

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.io.tars import Extent, Sample

_FORMATS = {"jpg": "jpg", "jpeg": "jpg", "png": "png", "webp": "webp"}
_HTTP = re.compile(r"HTTP Error (\d{3})")
_MAX_PIXELS = 200_000_000


class Img2dataset(Stage):
    """Take over what img2dataset downloaded as tars: pairs, images, and the outcome of every URL that it tried."""

    name: ClassVar[str] = "import_img2dataset"
    version: ClassVar = 2
    output: ClassVar[str] = "pairs"
    files: ClassVar = {"images": ".tar", "fetches": ".parquet"}
    once: ClassVar[bool] = True

    folder: str = digested(...)
    """Output folder of img2dataset, written with `--output_format webdataset`."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each tar."""
        from witbuild.io import store

        tars = [path for path in store.expand(self.folder) if path.endswith(".tar")]
        if not tars:
            raise InputError(
                f"{self.folder}: no tars; expected the output of img2dataset with `--output_format webdataset`"
            )
        for index, path in enumerate(tars):
            records = path.removesuffix(".tar") + ".parquet"
            yield Task(index, {"tar": (path,), **({"records": (records,)} if store.exists(records) else {})})

    def process(self, task: Task) -> Part:
        """Take over one tar with its records."""
        from witbuild.io import store, tables, tars
        from witbuild.schema import FETCHES, PAIRS

        (path,) = task.sources["tar"]
        samples = {sample.key: sample for sample in tars.index(path)}
        rows = _records(task, path, samples)
        dropped: Counter[str] = Counter()
        taken = [_Taken(path, task.index, number, row, samples.get(str(row["key"]))) for number, row in enumerate(rows)]
        pairs = [pair for one in taken if (pair := one.pair(dropped)) is not None]
        fetches, images = task.scratch_file("fetches.parquet"), task.scratch_file("images.tar")
        told = [one.fetch() for one in taken if one.url]
        tables.write(fetches, tables.from_rows(told, FETCHES), dropped={})
        store.link(path, images)
        return Part(tables.from_rows(pairs, PAIRS), dropped, files={"images": images, "fetches": fetches})


def _records(task: Task, path: str, samples: Mapping[str, Sample]) -> list[dict[str, Any]]:
    """Return a row for each URL that was tried; without the parquet file, for each sample, from its JSON."""
    import json

    from witbuild.io import tables, tars

    if "records" in task.sources:
        rows: list[dict[str, Any]] = tables.read(task.sources["records"][0]).to_pylist()
    else:
        extents = [sample.members["json"] for sample in samples.values() if "json" in sample.members]
        rows = [json.loads(content) for content in tars.read_many(path, extents)]
    for row in rows:
        if not {"url", "caption", "key", "status"} <= row.keys():
            raise InputError(
                f"{path}: its records have {', '.join(sorted(row))}; expected url, caption, key and status"
            )
    return rows


class _Taken:
    """One URL that was tried, and its sample."""

    def __init__(self, path: str, part: int, number: int, row: dict[str, Any], sample: Sample | None) -> None:
        from witbuild.text.keys import pair_key
        from witbuild.web.caption import clean
        from witbuild.web.urls import parse

        parsed = parse(str(row["url"] or "").strip())
        self.url = parsed.href if parsed else ""
        self.caption = clean(str(row["caption"] or ""))
        self.key = pair_key(self.url, self.caption)
        self._path, self._part, self._number, self._row, self._sample = path, part, number, row, sample

    def _reason(self) -> str | None:
        """Return why there is no pair, as far as the records say."""
        if self._row["status"] != "success":
            http = _HTTP.search(str(self._row.get("error_message") or ""))
            return f"http_{http[1]}" if http else str(self._row["status"])
        if not self.url:
            return "bad_url"
        if not self.caption:
            return "no_caption"
        return None if self._image() else "no_sample"

    def _image(self) -> tuple[str, Extent] | None:
        members = self._sample.members.items() if self._sample else ()
        return next(((_FORMATS[name], extent) for name, extent in members if name in _FORMATS), None)

    def pair(self, dropped: Counter[str]) -> dict[str, Any] | None:
        """Return the row of schema.PAIRS, or none after counting why not."""
        from witbuild.image.failure import ImageError

        reason, image = self._reason(), self._image()
        if reason is None and image is not None:
            try:
                return {**self._found(), **self._stored(*image)}
            except ImageError as error:
                reason = error.reason
        dropped[reason or "no_sample"] += 1
        return None

    def _found(self) -> dict[str, Any]:
        from witbuild.sources.base import named

        where = {"source": "list", "source_file": named(self._path), "source_offset": self._number}
        return {"key": self.key, "url": self.url, "caption": self.caption, "caption_source": "list", **where}

    def _stored(self, extension: str, extent: Extent) -> dict[str, Any]:
        """Return the columns of the image, its hashes from its pixels."""
        from witbuild.image import decode, hashes, header
        from witbuild.io import tars

        body = tars.read(self._path, extent)
        head = header.read(body)
        decode.check(head, body, _MAX_PIXELS)
        pixels = decode.decode(body, head, max_pixels=_MAX_PIXELS)
        place = {"image_part": self._part, "image_offset": extent.offset, "image_bytes": extent.size}
        looks = {"pixel_sha256": hashes.pixel_sha256(pixels), "phash": hashes.phash(pixels)}
        sizes = {"width": pixels.shape[1], "height": pixels.shape[0], "image_format": extension}
        served = {name: self._row.get(name) for name in ("original_width", "original_height")}
        return {**place, **looks, **sizes, **served, "original_sha256": self._row.get("sha256")}

    def fetch(self) -> dict[str, Any]:
        """Return the row of schema.FETCHES."""
        reason = self._reason()
        http = _HTTP.search(str(self._row.get("error_message") or ""))
        return {
            "key": self.key,
            "url": self.url,
            "status": reason or "ok",
            "http_status": int(http[1]) if http else None,
            "detail": self._row.get("error_message") or None,
        }
