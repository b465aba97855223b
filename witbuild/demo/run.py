"""The whole way: serve a world, run the recipe on it, compare what was found with what was planted."""

from __future__ import annotations

import importlib.util
import json
import time
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from witbuild.demo import check, heldout
from witbuild.demo.serving import Serving
from witbuild.demo.world import World, build
from witbuild.engine.local import LocalEngine
from witbuild.errors import MissingExtraError
from witbuild.io import store, tables
from witbuild.recipe import Recipe
from witbuild.report import build as build_report
from witbuild.report import planted
from witbuild.report.funnel import funnel
from witbuild.runner import Settings, run_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.io.run import Run
    from witbuild.report.funnel import Line
    from witbuild.report.planted import Compared
    from witbuild.runner import Progress

SIZE = 5_000
"""Ordinary pictures of the web; three quarters of them are left to train on."""
HELD_OUT = "held-out"
"""Folder of the run directory where the pictures to evaluate on lie."""
WIKIPEDIA = files("witbuild").joinpath("data", "enwiki-sample.xml.bz2")
"""A real piece of English Wikipedia."""
_TRAINING = ("train", "eval")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a demo came to.

    Attributes:
        lines: the funnel.
        compared: planted versus found.
        scores: metric -> value of the zero-shot task; empty without training.
        classes: of that task.
        root: Merkle root of tables and tars.
        report: path of the page.
        data_seconds: from the start to the last tar.
        seconds: from the start to the end.
    """

    lines: tuple[Line, ...]
    compared: tuple[Compared, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    classes: int
    root: str
    report: str
    data_seconds: float
    seconds: float

    @property
    def verified(self) -> bool:
        """Say whether all that was planted was found, and nothing else."""
        return all(one.agrees for one in self.compared)


def run(  # noqa: PLR0913 what a person may choose
    out: str,
    *,
    train: bool = True,
    seed: int = 0,
    size: int = SIZE,
    workers: int = 0,
    progress: Progress | None = None,
) -> Summary:
    """Build a data set from a web on loopback and train a CLIP on it.

    Args:
        out: run directory; one that was begun with the same seed and size is gone on with.
        train: train and evaluate too; needs the extra `train`.
        seed: of the web.
        size: ordinary pictures of the web.
        workers: processes; 0: as many as there are cores.
        progress: is told what happens.

    Raises:
        MissingExtraError: training without torch; said before anything is done.
    """
    if train and importlib.util.find_spec("torch") is None:
        raise MissingExtraError("witbuild demo, but for witbuild demo --no-train,", "train")
    started = time.monotonic()
    settings = Settings() if progress is None else Settings(progress=progress)
    with Serving(seed, size) as server, LocalEngine(workers) as engine:
        world = build(seed, size, looks=False)
        labelled = heldout.write(store.join(out, HELD_OUT), seed) if train else {}
        # the server paints while the queries are counted, which needs nothing of it
        run_recipe(recipe(world, {}, labelled), out, engine, replace(settings, until="queries"))
        whole = recipe(world, server.resolve, labelled)
        done = run_recipe(whole, out, engine, replace(settings, until="shard"))
        compared = check.compare(world, done, server.asked())
        planted.write(out, compared)
        data_seconds = time.monotonic() - started
        if train:
            run_recipe(whole, out, engine, settings)
    report = store.join(out, "report.html")
    store.commit_bytes(report, build_report(done).encode())
    return Summary(
        lines=tuple(funnel(manifest for _, manifest in done.manifests())),
        compared=compared,
        scores=_scores(done) if train else {},
        classes=len(heldout.class_names(seed)),
        root=done.merkle_root(),
        report=report,
        data_seconds=data_seconds,
        seconds=time.monotonic() - started,
    )


def recipe(world: World, resolve: Mapping[str, str], labelled: Mapping[str, str]) -> Recipe:
    """Return the demo's recipe with what is known only when it runs.

    Args:
        world: that is served.
        resolve: host -> `address:port` of the server.
        labelled: what `heldout.write` returned; empty: the recipe ends with the tars.
    """
    known: dict[str, object] = {
        "queries.wikipedia": [str(WIKIPEDIA)],
        "harvest.resolve": dict(resolve),
        "harvest.max_pages": 2 * len(world.pages) + sum(world.planted.values()),
        "balance.limit": world.limit,
        "fetch.resolve": dict(resolve),
    }
    if labelled:
        data, classes, templates = (labelled[name] for name in ("data", "classes", "templates"))
        known |= {"eval.data": [data], "eval.classes": classes, "eval.templates": templates}
    loaded = Recipe.load("demo").with_overrides(f"{name}={json.dumps(value)}" for name, value in known.items())
    stages = loaded.stages if labelled else tuple(stage for stage in loaded.stages if stage.name not in _TRAINING)
    return replace(loaded, stages=stages)


def write_recipe(path: str, seed: int, size: int, resolve: Mapping[str, str]) -> None:
    """Write the demo's recipe, as far as the tars, to be run by `witbuild run PATH --out RUN`.

    Args:
        path: of the file.
        seed: of the web.
        size: of the web.
        resolve: of a server of that web: `Serving.resolve`, or `hosts_at` with the ports that it printed.
    """
    store.commit_bytes(path, recipe(build(seed, size, looks=False), resolve, {}).to_yaml().encode())


def _scores(run: Run) -> dict[str, float]:
    _, manifest = run.newest("scores")
    rows = tables.read_all(run.paths(manifest, "scores")).to_pylist()
    return {row["metric"]: row["value"] for row in rows if row["task"] == HELD_OUT}
