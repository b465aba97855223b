"""Read pages and lists; write candidate pairs: image URL, caption, where both came from, what licence was claimed."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from witbuild.stage import Inputs, Part, Stage, Task, digested

if TYPE_CHECKING:
    from collections.abc import Iterable

    from witbuild.sources.base import Source

Preset = Literal["auto", "laion", "datacomp", "coyo", "cc3m", "cc12m", "sbu", "redcaps", "yfcc15m", "wit"]
"""The names in witbuild.sources.presets.PRESETS."""


class Harvest(Stage):
    """Read pages and lists; write candidate pairs."""

    name: ClassVar = "harvest"
    output: ClassVar = "pairs"

    source: Literal["wat", "warc", "urls", "html", "folder"]
    """What the inputs are: Common Crawl WATs, WARCs, URL lists, HTML files, folders of images with texts."""
    inputs: tuple[str, ...] = digested(..., min_length=1)
    """Files, globs, folders and URLs; for archives also `*.paths.gz` lists and `cc://CC-MAIN-YYYY-WW`."""
    shards: int = Field(0, ge=0)
    """Tasks to cut the work into; 0: one a file."""
    limit: int = Field(0, ge=0)
    """Most pairs, shared equally among the tasks; 0: all."""
    root: str = "https://data.commoncrawl.org/"
    """Put before the paths of a `*.paths.gz` list; `s3://commoncrawl/` or a folder of a mirror do as well."""
    preset: Preset = "auto"
    """Whose columns a URL list has."""
    url_column: str = ""
    """Column of a URL list that holds the image's URL, instead of the preset's."""
    caption_column: str = ""
    """Column of a URL list that holds the caption, instead of the preset's."""
    base_url: str = ""
    """URL at which the content of the input folders is served, for HTML files and folders of images."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield the source's tasks."""
        return self.reader().plan()

    def process(self, task: Task) -> Part:
        """Read what a task names."""
        found = self.reader().harvest(task)
        return Part(found.table(), found.dropped)

    def reader(self) -> Source:
        """Return the source with those of the parameters that it takes."""
        from witbuild.sources import source_class

        kind = source_class(self.source)
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})
