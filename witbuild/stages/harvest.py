"""Read pages and lists; write candidate pairs: image URL, caption, where both came from, what licence was claimed."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from witbuild.stage import Inputs, Part, Stage, Task, digested, runtime

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from witbuild.sources.base import Source

APIS = ("commons", "openverse")
"""Sources that know where they are."""
Preset = Literal["auto", "laion", "datacomp", "coyo", "cc3m", "cc12m", "sbu", "redcaps", "yfcc15m", "wit"]
"""The names in witbuild.sources.presets.PRESETS."""


class Harvest(Stage):
    """Read pages and lists; write candidate pairs."""

    name: ClassVar = "harvest"
    version: ClassVar = 3
    output: ClassVar = "pairs"
    told_by_tasks: ClassVar = ("inputs",)
    optional: ClassVar[tuple[str, ...]] = ("queries",)

    source: Literal["wat", "warc", "urls", "site", "html", "folder", "commons", "openverse"]
    """What the inputs are: Common Crawl WATs, WARCs, URL lists, live sites, HTML files, images with texts, APIs."""
    inputs: tuple[str, ...] = digested(())
    """Files, globs, folders and URLs; `*.paths.gz` lists and `cc:CC-MAIN-YYYY-WW` for archives, seeds for sites."""
    shards: int = Field(0, ge=0)
    """Tasks to cut the work into; 0: one a file. More than there are files cut lists, and large archives on this
    machine's disks, in pieces."""
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
    where: tuple[str, ...] = ()
    """Conditions on columns of a URL list that a row must fulfil, such as `score >= 2` or `over_18 == false`."""
    carry: tuple[str, ...] = Field((), max_length=32)
    """Columns of a URL list that travel with the pair, as one JSON object in `carried`."""
    base_url: str = ""
    """URL at which the content of the input folders is served, for HTML files and folders of images."""

    per_query: int = Field(50, ge=1, le=10_000)
    """Results that are looked at of each query that an API is asked for."""
    listing: Literal["search", "allimages"] = "search"
    """How Commons is asked: search each query, or list all files by name, without queries."""
    search_filter: str = "filetype:bitmap"
    """Added to every search of Commons; in the words of its search engine."""
    thumbnail_width: int = Field(0, ge=0, le=10_000)
    """Take images of Commons in this width, in pixels, instead of the originals; 0: the originals."""
    max_lag_seconds: int = runtime(5, ge=1)
    """How far Commons' databases may lag behind before it is left alone; smaller is politer."""

    max_depth: int = Field(3, ge=0)
    """Links from a seed that a site is crawled."""
    max_pages: int = Field(1_000, ge=1)
    """Pages that are asked for, of a registered domain."""
    sitemaps: bool = True
    """Read a site's sitemaps: pages to crawl, and images with their captions."""
    user_agent: str = ""
    """What we call ourselves, with a contact, such as `mybot/1.0 (+https://example.org/bot)`; for sites and APIs. Pages
    that speak to this crawler (`mybot`) by name, wherever they come from, speak to us."""
    delay_seconds: float = runtime(1.0, ge=0)
    """Pause from request to request of a host; longer where it asks for it."""
    timeout_seconds: float = runtime(30.0, gt=0)
    """Most seconds on the wire for a page, its redirects and retries, or for an API's answer."""
    resolve: dict[str, str] = runtime({})
    """Host -> `address:port` to connect to instead of what its name says."""
    allow_private: bool = False
    """Crawl loopback and private addresses too."""

    @model_validator(mode="after")
    def _has_inputs(self) -> Self:
        if not self.inputs and self.source not in APIS:
            raise ValueError(f"inputs: found none, and the source {self.source} has no usual place")
        return self

    def steps(self) -> tuple[Stage, ...]:
        """Return what does the work: only a source that asks for queries is made anew when they change."""
        searches = self.source in APIS and self.listing == "search"
        return (self if searches else Reading(**dict(self)),)

    @field_validator("where")
    @classmethod
    def _conditions(cls, where: tuple[str, ...]) -> tuple[str, ...]:
        from witbuild.sources.conditions import Condition

        for text in where:
            Condition.parse(text)
        return where

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield the source's tasks."""
        return self.reader().plan_over(inputs.get("queries", ()))

    def process(self, task: Task) -> Part:
        """Read what a task names."""
        found = self.reader().harvest(task)
        return Part(found.table(), found.dropped)

    def reader(self) -> Source:
        """Return the source with those of the parameters that it takes."""
        from witbuild.sources import source_class

        kind = source_class(self.source)
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})


class Reading(Harvest):
    """A harvest that reads no queries."""

    optional: ClassVar[tuple[str, ...]] = ()
