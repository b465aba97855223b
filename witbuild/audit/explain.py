"""All that a run knows of a pair, kept or dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from witbuild.audit.duplicates import clusters
from witbuild.audit.place import place
from witbuild.audit.queries import after, judged, texts
from witbuild.audit.trace import Address, Stop, Trace, fetches, keys_of_url, trace
from witbuild.errors import InputError
from witbuild.io import store, tables
from witbuild.io.run import TOMBSTONES, Run
from witbuild.runner.replay import replay
from witbuild.sample.tombstones import Tombstones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.runner.replay import Made

_ORIGIN = (
    "page_url", "source", "source_file", "source_offset", "source_length", "caption_source", "language",
    "page_language", "licence", "attribution", "opt_out",
)  # fmt: skip
_IMAGE = (
    "original_width", "original_height", "original_bytes", "original_format", "original_sha256", "width", "height",
    "image_bytes", "image_format", "pixel_sha256",
)  # fmt: skip
_TREATMENT = ("resize", "size", "upscale", "format", "quality", "keep_original")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What became of a pair and why; every part is plain JSON."""

    key: str
    url: str
    caption: str
    verdict: str
    """In one sentence."""
    stops: list[Stop]
    """Where rows of it left, and the reason."""
    origins: list[dict[str, Any]]
    """Every place where it was found: page, archive and offset, caption source, licence, opt-out signals."""
    steps: dict[str, int]
    """Step that writes pairs -> rows of it there."""
    queries: list[dict[str, Any]] = field(default_factory=list)
    """Matched, with counts, keep probability, coin and cut where the run has a balance."""
    clusters: list[dict[str, Any]] = field(default_factory=list)
    """Of near-duplicates that it lies in."""
    fetches: list[dict[str, Any]] = field(default_factory=list)
    """What came of the request."""
    image: dict[str, Any] = field(default_factory=dict)
    """As served, as stored, and what was done in between."""
    place: dict[str, Any] | None = None
    """Shard, row and byte offsets; None: in no shard."""


def explain(root: str, key: str) -> Explanation:
    """Explain a pair of a run.

    Raises:
        InputError: no such run, or the run never had the pair.
    """
    steps = list(replay(root))
    way = trace(steps, key)
    last = way.last
    if last is None:
        raise InputError(
            f"{root}: no pair {key} was ever in this run; a key is 32 hexadecimal digits, the stem of a sample's "
            "members. What harvest itself refused (no caption, no URL) has no key: witbuild status counts it"
        )
    (row,) = last.read().to_pylist()
    where = place(Run(root), key)
    return Explanation(
        key=key,
        url=row["url"],
        caption=row["caption"],
        verdict=_taken_down(root, last) or _verdict(way, where),
        stops=way.stops,
        origins=_origins(way),
        steps={made.folder.name: len(rows) for made, rows in way.seen},
        queries=_queries(steps, way, row["query_ids"] or []),
        clusters=list(clusters(steps, key)),
        fetches=[one for made in steps if made.manifest.files("fetches") for one in fetches(made, key)],
        image=_image(steps, row),
        place=where,
    )


def keys(root: str, url: str) -> list[str]:
    """Return the keys of the pairs of an image's URL.

    Raises:
        InputError: no such run, or it never had the URL.
    """
    found = keys_of_url(replay(root), url)
    if not found:
        raise InputError(f"{root}: no pair with the URL {url} was ever in this run")
    return found


def _taken_down(root: str, last: Address) -> str:
    """Return the request that took a pair down; empty when none did."""
    path = store.join(root, TOMBSTONES)
    stones = tables.read(path) if store.exists(path) else None
    if stones is None or not Tombstones(stones).barred(last.read())[0]:
        return ""
    each = (stones.slice(place, 1) for place in range(len(stones)))
    requests = (one["request"][0].as_py() for one in each if Tombstones(one).barred(last.read())[0])
    return f"taken down: {next(requests)}"


def _verdict(way: Trace, where: dict[str, Any] | None) -> str:
    if where is not None:
        return f"kept: sample {where['row']} of {where['shard']}"
    writing = {made.folder.name: bool(rows) for made, rows in way.seen}
    if way.stops and not writing.get(way.stops[-1].step, False):
        return f"dropped by {way.stops[-1].step}: {way.stops[-1].reason}"
    return f"not in the data set; last seen in {next(reversed(writing), 'what the run was given')}"


def _origins(way: Trace) -> list[dict[str, Any]]:
    """Return where each row of the key was found."""
    return [{name: found[name] for name in _ORIGIN} for row in way.first for found in row.read().to_pylist()]


def _queries(steps: Sequence[Made], way: Trace, ids: Sequence[int]) -> list[dict[str, Any]]:
    made = next((one for one in reversed(steps) if one.stage.name == "balance.keep"), None)
    before = way.before("balance.keep") if made else []
    if made is None or not before:
        lists = next((one.inputs["queries"] for one in reversed(steps) if "queries" in one.inputs), ())
        return [{"query": text} for _, text in sorted(texts(lists, ids).items())]
    return _with_after(steps, judged(made, before[0].read()), before[0])


def _with_after(steps: Sequence[Made], rows: list[dict[str, Any]], address: Address) -> list[dict[str, Any]]:
    """Add to each query how many pairs of the result match it."""
    ids: list[int] = address.read()["query_ids"][0].as_py() or []
    curve = next((one for one in reversed(steps) if one.stage.output == "curve"), None)
    counts = after(curve.paths(), ids) if curve else {}
    return [{**row, "after": counts.get(query)} for row, query in zip(rows, ids, strict=True)]


def _image(steps: Sequence[Made], row: dict[str, Any]) -> dict[str, Any]:
    if row["image_part"] is None:
        return {}
    fetched = next((one for one in reversed(steps) if one.manifest.files("images")), None)
    treatment = (
        {name: getattr(fetched.stage, name) for name in _TREATMENT if hasattr(fetched.stage, name)} if fetched else {}
    )
    shown = {name: row[name] for name in _IMAGE}
    return {**shown, "phash": None if row["phash"] is None else f"{row['phash']:016x}", "treatment": treatment}
