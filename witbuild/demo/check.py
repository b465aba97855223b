"""Planted versus found: what the funnel counted must be what the world holds, to the row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from witbuild.demo import web
from witbuild.report.funnel import funnel
from witbuild.report.planted import Compared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.demo.world import World
    from witbuild.io.run import Run

STAGES = ("harvest", "match", "filter", "dedup", "fetch")
"""Those that drop what is wrong; `balance` drops what is too much."""
PAIRS = "pairs found on pages"
FORBIDDEN = "URLs asked for against robots.txt"


def compare(world: World, run: Run, asked: Mapping[str, int]) -> tuple[Compared, ...]:
    """Return what was planted beside what was found: pairs, drops by reason, disobeyed rules.

    Args:
        world: that was served.
        run: over it, at least as far as the second `dedup`.
        asked: URL -> requests that the server had for it.
    """
    found = counted(run)
    names = [*world.planted, *sorted(found.keys() - world.planted.keys())]
    drops = [Compared(name, world.planted[name], found[name]) for name in names]
    harvested = next((line.rows_out for line in funnel(m for _, m in run.manifests()) if line.stage == "harvest"), 0)
    disobeyed = sum(count for url, count in asked.items() if f"/{web.DISALLOWED}/" in url)
    return (Compared(PAIRS, world.pairs, harvested), *drops, Compared(FORBIDDEN, 0, disobeyed))


def counted(run: Run) -> Counter[str]:
    """Return `stage.reason` -> rows dropped, of the stages that drop what is wrong."""
    found: Counter[str] = Counter()
    for line in funnel(manifest for _, manifest in run.manifests()):
        if line.stage in STAGES:
            found.update({f"{line.stage}.{reason}": rows for reason, rows in line.dropped.items() if rows})
    return found
