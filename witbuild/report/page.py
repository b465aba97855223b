"""The page: its head, what the run is, the numbers that matter most, then the sections."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from witbuild.report import sections
from witbuild.report.funnel import funnel, queries_a_pair
from witbuild.report.markup import Markup, element
from witbuild.report.units import duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.io.run import Run
    from witbuild.report.funnel import Line

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def build(run: Run) -> str:
    """Return a run's report: one HTML page without scripts, fonts, images or anything else from elsewhere.

    Args:
        run: at any point of its way; what it has not made yet is left out.

    Raises:
        CorruptPartError: a manifest or a table cannot be read.
    """
    name = run.root.rstrip("/").rsplit("/", 1)[-1]
    lines = funnel(manifest for _, manifest in run.manifests())
    first = (_head(run, name), _cards(run, lines), sections.show_funnel(lines), sections.show_reasons(lines))
    more = (
        sections.show_planted(run),
        sections.show_duplicates(run),
        sections.show_balance(run),
        sections.show_samples(run),
        sections.show_training(run),
        sections.show_scores(run),
        sections.show_objectives(run),
        sections.show_steps(run),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"witbuild: {name}"),
        element("style", Markup(files("witbuild.report").joinpath("style.css").read_text("utf-8"))),
    )
    return "<!doctype html>\n" + element("html", head, element("body", *first, *more), lang="en") + "\n"


def _head(run: Run, name: str) -> Markup:
    facts = [("Run", run.root), ("Merkle root", run.merkle_root())]
    lines = [element("div", f"{label} ", element("code", value)) for label, value in facts]
    open_ = [folder.name for folder in run.folders() if folder.manifest() is None]
    if open_:
        lines.append(element("div", f"Not whole yet: {', '.join(open_)}", class_="fault"))
    return element("header", element("h1", name), element("div", *lines, class_="identity"))


def _cards(run: Run, lines: Sequence[Line]) -> Markup:
    by_stage = {line.stage: line for line in lines}
    found: list[tuple[str, str]] = []
    for stage, label in (("queries", "queries"), ("harvest", "pairs harvested"), ("match", "pairs matched")):
        if stage in by_stage:
            found.append((f"{by_stage[stage].rows_out:,}", label))
    matches = [mean for _, one in run.manifests() if (mean := queries_a_pair(run, one)) is not None]
    if matches:
        found.append((f"{matches[-1]:.1f}", "queries a matched pair"))
    if "shard" in by_stage:
        tars = [file for _, manifest in run.manifests() for file in manifest.files("tars")]
        found.append((f"{by_stage['shard'].rows_out:,}", "samples"))
        found.append((size(sum(file.bytes for file in tars)), f"in {len(tars):,} tar{'s' if len(tars) > 1 else ''}"))
    found.append((duration(sum(line.seconds for line in lines)), "of worker time"))
    cards = [element("div", element("b", number), element("span", label), class_="card") for number, label in found]
    return element("div", *cards, class_="cards")
