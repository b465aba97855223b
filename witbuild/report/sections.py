"""The sections of the page, one function each; what a run has not made yet has no section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.report import balance, duplicates, objectives, planted, samples, training
from witbuild.report.charts import bar
from witbuild.report.funnel import reasons
from witbuild.report.markup import Markup, element, join
from witbuild.report.units import duration, host, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.io.run import Run
    from witbuild.report.funnel import Line
    from witbuild.report.markup import Child

_TILES = 24
_REASONS = 15


def _section(title: str, text: str, *content: Child) -> Markup:
    return element("section", element("h2", title), element("p", text), *content)


def _table(
    titles: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    numbers: frozenset[int],
    wide: int = -1,
    style: str = "panel",
) -> Markup:
    def cell(tag: str, column: int, content: Child) -> Markup:
        kind = "number" if column in numbers else "wide" if column == wide else None
        return element(tag, content, class_=kind)

    head = element("tr", [cell("th", column, title) for column, title in enumerate(titles)])
    body = [element("tr", [cell("td", column, one) for column, one in enumerate(row)]) for row in rows]
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_=style)


def show_funnel(lines: Sequence[Line]) -> Markup:
    """Return the table of what each stage took, gave and dropped."""
    if not lines:
        return _section("Funnel", "No stage of this run is whole yet.")
    most = max((line.rows_out for line in lines if line.unit in ("pairs", "samples")), default=1)
    titles = ("stage", "", "in", "out", "dropped, by reason", "bytes", "time", "rows/s")
    rows = [_funnel_row(line, most) for line in lines]
    text = (
        "What each stage took, gave and dropped. Every row that came in went out or was dropped for a reason; "
        "the runner checks that sum. Time is that of all workers added up."
    )
    return _section("Funnel", text, _table(titles, rows, numbers=frozenset({2, 3, 5, 6, 7}), wide=1))


def _funnel_row(line: Line, most: int) -> list[Child]:
    moving = line.unit in ("pairs", "samples")
    named = line.unit in ("queries", "samples")
    out = f"{line.rows_out:,}" if line.unit == "pairs" else f"{line.rows_out:,} {line.unit if named else 'rows'}"
    dropped = [element("span", f"{reason} {rows:,}", class_="chip") for reason, rows in line.dropped.items()]
    fault = element("div", f"{line.unaccounted:,} unaccounted for", class_="fault") if line.unaccounted else None
    return [
        element("span", line.stage, class_="stage"),
        bar(line.rows_out / max(most, 1)) if moving else None,
        line.rows_in,
        out,
        element("div", dropped, fault, class_="reasons"),
        size(line.bytes),
        duration(line.seconds),
        f"{line.rows_per_second:,.0f}" if moving else None,
    ]


def show_reasons(lines: Sequence[Line]) -> Markup | None:
    """Return the table of the reasons that cost most rows."""
    found = list(reasons(lines))[:_REASONS]
    if not found:
        return None
    rows: list[list[Child]] = [
        [stage, reason, count, bar(share, "lost"), f"{share:.1%}"] for stage, reason, count, share in found
    ]
    table = _table(("stage", "reason", "rows", "", "of its input"), rows, numbers=frozenset({2, 4}), wide=3)
    return _section("Why pairs were dropped", "The reasons that cost most rows.", table)


def show_planted(run: Run) -> Markup | None:
    """Return the table of what was planted in a made-up web beside what was found."""
    compared = planted.read(run.root)
    if not compared:
        return None
    agree = sum(one.agrees for one in compared)
    text = (
        "This web was made up, and its faults were planted in known numbers: each must be found and dropped by the "
        f"stage that looks for it. {agree} of {len(compared)} numbers agree."
    )
    rows = [_planted_row(one) for one in compared]
    table = _table(("", "planted", "found", ""), rows, numbers=frozenset({1, 2}), style="panel few")
    return _section("Planted and found", text, table)


def _planted_row(one: planted.Compared) -> list[Child]:
    stage, dot, reason = one.name.partition(".")
    is_drop = dot and " " not in one.name
    name = join(element("span", stage, class_="stage"), " ", reason) if is_drop else one.name
    return [name, one.planted, one.found, "agrees" if one.agrees else element("span", "differs", class_="fault")]


def show_balance(run: Run) -> Markup | None:
    """Return the curve of pairs a query, before and after balance."""
    found = balance.read_balance(run)
    if found is None:
        return None
    chart = element("div", balance.draw(found), class_="panel chart")
    shares = _table(("", "before", "after"), balance.shares(found), numbers=frozenset({1, 2}), style="panel few")
    return _section("Balance", _balance_text(found), chart, shares, _most_matched(found))


def _most_matched(found: balance.Balance) -> Markup | None:
    """Return the table of the queries with most pairs: what their quota lets them keep, and how often they occur."""
    if not found.most:
        return None
    rows: list[list[Child]] = [
        [element("bdi", one.query), one.before, one.charged, one.quota, one.after] for one in found.most
    ]
    titles = ("query", "pairs before", "charged to it", "quota", "pairs after")
    return _table(titles, rows, numbers=frozenset({1, 2, 3, 4}), style="panel few")


def show_duplicates(run: Run) -> Markup | None:
    """Return what each dedup found: clusters by their size, and examples."""
    tables = [
        join(
            element("p", f"{one.step}: {sum(one.sizes.values()):,} clusters of {one.pairs:,} pairs."),
            _table(("pairs of a cluster", "clusters"), _sizes(one), numbers=frozenset({0, 1}), style="panel few"),
            _table(("pairs", "caption", "host", "dropped as"), _examples(one), numbers=frozenset({0})),
        )
        for one in duplicates.read(run)
        if one.sizes
    ]
    if not tables:
        return None
    text = "Pairs that say the same: the largest clusters and some by a coin, of each the pair that stays first."
    return _section("Duplicates", text, *tables)


def _sizes(found: duplicates.Clusters) -> list[list[Child]]:
    """Return how many clusters there are of each size, sizes from one power of two to the next taken together."""
    powers: dict[int, int] = {}
    for size_, count in found.sizes.items():
        power = 1 << (size_.bit_length() - 1)
        powers[power] = powers.get(power, 0) + count
    return [
        [f"{power:,}" if power < 2 else f"{power:,} to {2 * power - 1:,}", count] for power, count in powers.items()
    ]


def _examples(found: duplicates.Clusters) -> list[list[Child]]:
    return [
        [cluster.pairs if place == 0 else None, element("bdi", one.caption), host(one.url), one.reason or "stays"]
        for cluster in found.examples
        for place, one in enumerate(cluster.members)
    ]


def _balance_text(found: balance.Balance) -> str:
    listed = f" of {found.listed:,}" if found.listed else ""
    start = f"{len(found.before):,}{listed} queries have pairs. The 1% of them with most pairs hold"
    share = f"{balance.head_share(found.before):.0%} of the matches"
    if found.after is None:
        return f"{start} {share}."
    above = found.limit is not None and found.after.max(initial=0) > found.limit
    why = (
        " A pair kept for a rare query counts for the frequent ones in its caption too, so these stay above the limit."
    )
    return f"{start} {share} before balance and {balance.head_share(found.after):.0%} after it.{why if above else ''}"


def show_samples(run: Run) -> Markup | None:
    """Return a grid of samples with their captions and queries."""
    try:
        _, manifest = run.newest("tars")
    except InputError:
        return None
    tiles = samples.choose(run.paths(manifest, "tars"), _TILES)
    text = f"{len(tiles)} samples drawn from the tars by a coin, with the queries that their captions matched."
    return _section("Samples", text, element("div", [_tile(tile) for tile in tiles], class_="tiles"))


def _tile(tile: samples.Tile) -> Markup:
    image = element("img", src=tile.image, alt=tile.caption) if tile.image else "cannot be decoded"
    pixels = f"{tile.width} x {tile.height}" if tile.width > 0 else ""
    origin = host(tile.page_url)
    kind = ", ".join(part for part in (tile.source, pixels) if part)
    caption = element(
        "figcaption",
        element("bdi", tile.caption, class_="caption"),
        [element("span", query, class_="chip") for query in tile.queries],
        [element("bdi", line, class_="soft", title=line) for line in (origin, kind) if line],
    )
    return element("figure", element("div", image, class_="frame"), caption, class_="tile")


def show_training(run: Run) -> Markup | None:
    """Return the training curve."""
    metrics = training.read(run, "metrics")
    if metrics is None:
        return None
    last = metrics.to_pylist()[-1]
    text = f"{last['step']:,} steps, {last['samples_seen']:,} samples seen, last loss {last['loss']:.3f}."
    return _section("Training", text, element("div", training.draw_loss(metrics), class_="panel chart"))


def show_scores(run: Run) -> Markup | None:
    """Return the table of scores, and the curves of few-shot probes."""
    scores = training.read(run, "scores")
    if scores is None:
        return None
    shown = training.by_task(scores)
    table = _scores_table([one for one in shown if not one.group])
    by_group = [one for one in shown if one.group]
    folded = element("details", element("summary", "Group by group"), _scores_table(by_group)) if by_group else None
    charts = [
        element("div", element("h3", f"{task}, few images a class"), chart, class_="panel chart")
        for task, chart in training.draw_shots(scores)
    ]
    text = (
        "Accuracy, recall and chance are zero-shot: the model has never been trained for them. Linear probes and "
        "few-shot probes are fitted on labelled images, on the features before the projection."
    )
    return _section("Scores", text, table, *charts, folded)


def _scores_table(shown: Sequence[training.Shown]) -> Markup:
    rows: list[list[Child]] = [
        [one.task, one.metric, one.group, one.value, one.chance, bar(one.share), one.samples] for one in shown
    ]
    titles = ("set", "measure", "of", "value", "chance", "", "samples")
    return _table(titles, rows, numbers=frozenset({3, 4, 6}), wide=5)


def show_objectives(run: Run) -> Markup | None:
    """Return the comparison of objectives."""
    curves = training.read(run, "curves")
    if curves is None:
        return None
    accuracy = objectives.common_accuracy(curves)
    found = objectives.arms(curves, accuracy)
    titles = ("objective", f"samples to {accuracy:.0%}", f"CPU seconds to {accuracy:.0%}", "accuracy at the end")
    table = _table(titles, objectives.table(found), numbers=frozenset({1, 2, 3}))
    text = (
        "The same pictures, image encoder and schedule under several objectives: zero-shot accuracy over samples seen, "
        "the mean of all seeds; in the table with the deviation over seeds."
    )
    chart = element("div", objectives.draw(found), class_="panel chart")
    return _section("Objectives", text, chart, table)


def show_steps(run: Run) -> Markup | None:
    """Return every folder of the run, folded away."""
    rows: list[list[Child]] = [
        [
            folder.name,
            one.output,
            one.rows,
            size(one.bytes),
            duration(one.seconds),
            element("code", one.fingerprint[:16]),
        ]
        for folder, one in run.manifests()
    ]
    table = _table(("folder", "table", "rows", "bytes", "time", "fingerprint"), rows, numbers=frozenset({2, 3, 4}))
    return element("details", element("summary", "Every step of the run"), table) if rows else None
