"""An earlier run's images, asked for again in case they changed (RFC 9110, section 13); 304 keeps the bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from witbuild.errors import RecipeError
from witbuild.io import tars
from witbuild.io.run import Run
from witbuild.stages.fetch.recall import told
from witbuild.web.urls import without_fragment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.io.manifest import Manifest
    from witbuild.stages.fetch.collect import Rows
    from witbuild.stages.fetch.journal import Outcome
    from witbuild.stages.fetch.parameters import Fetching

_MAKING = ("resize", "size", "upscale", "format", "quality", "oversample", "keep_original", "min_side", "max_aspect")
"""Parameters that decide what an image is made into, or whether it is."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run has of a URL, and where its image lies."""

    outcome: Outcome
    tar: str
    extent: tars.Extent

    @property
    def md5(self) -> str:
        """Of the body, as the list carried it; empty where it did not."""
        return self.outcome.image.original_md5 if self.outcome.image else ""

    def conditions(self) -> dict[str, str]:
        """Return the headers that ask for a body only if it is another than the one that is known."""
        found = {"If-None-Match": self.outcome.etag, "If-Modified-Since": self.outcome.last_modified}
        return {name: value for name, value in found.items() if value and value.isascii() and value.isprintable()}

    def kept(self, now: Outcome) -> Outcome:
        """Return the outcome of an answer 304: what was known, seen now."""
        seen = {name: getattr(now, name) for name in ("http_status", "final_url", "signals", "started", "seconds")}
        return replace(self.outcome, **seen)

    def content(self) -> bytes:
        """Return the image's bytes."""
        return tars.read(self.tar, self.extent)


def earlier(root: str, stage: Fetching, index: int, rows: Rows) -> dict[str, Known]:
    """Return what an earlier run has of URLs, those with an ETag or a Last-Modified, and the hashes that are needed.

    Args:
        root: of the run; empty: none.
        stage: that asks again.
        index: of its slice; in a run of as many slices the same part holds the same domains.
        rows: of the task.
    """
    if not root:
        return {}
    manifest = made_alike(root, stage)
    kinds = [Run(root).paths(manifest, kind) for kind in ("pairs", "fetches", "images")]
    parts = list(zip(*kinds, strict=True))
    chosen = [parts[index]] if len(parts) == stage.slices else parts
    wanted, by_md5 = set(rows.wanted()), rows.told_by_md5()
    if not manifest.identity.parameters.get("require_hash"):
        wanted -= by_md5  # what it carries of them was held against nothing
    found = ((url, known) for part in chosen for url, known in _of_part(*part) if url in wanted and known.conditions())
    return {url: known for url, known in found if known.md5 or url not in by_md5}


def _of_part(pairs: str, fetches: str, images: str) -> Iterator[tuple[str, Known]]:
    for outcome, row in told(pairs, fetches):
        if row is not None and outcome.image is not None:
            extent = tars.Extent(row["image_offset"], row["image_bytes"])
            yield without_fragment(outcome.url), Known(outcome, images, extent)


def made_alike(root: str, stage: Fetching) -> Manifest:
    """Return the manifest of an earlier run's download.

    Raises:
        RecipeError: the run made its images otherwise: parameter, both values, and the way out.
    """
    _, manifest = Run(root).newest("fetches")
    then, now = manifest.identity.parameters, stage.model_dump(mode="json")
    for name in _MAKING:
        if name in then and then[name] != now[name]:
            raise RecipeError(
                f"revalidate: {root} made its images with {name} {then[name]!r}, this run with {now[name]!r}; "
                f"their bytes cannot be kept. Give the same {name}, or leave revalidate out"
            )
    return manifest
