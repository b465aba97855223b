"""Charts: every point lies inside the frame, in the right order."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.report import charts
from witbuild.report.balance import Balance, curve, draw

COUNTS = st.lists(st.integers(1, 10**9), min_size=1, max_size=300).map(
    lambda counts: np.sort(np.array(counts, np.int64))[::-1]
)


def polylines(svg: str) -> list[list[tuple[float, float]]]:
    found = ET.fromstring(svg).iter("polyline")  # noqa: S314
    return [[(float(a), float(b)) for a, b in (p.split(",") for p in one.attrib["points"].split())] for one in found]


@given(COUNTS, st.none() | st.integers(1, 10**9))
def test_balance_curves_fall_and_stay_inside(counts: np.ndarray, limit: int | None) -> None:
    kept = np.minimum(counts, limit or 5)
    for points in polylines(draw(Balance(counts, kept, limit, None))):
        assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in points)
        assert points == sorted(points), "to the right, and downwards on the screen"


@given(COUNTS)
def test_a_curve_keeps_its_ends_and_few_points(counts: np.ndarray) -> None:
    points = curve(counts)
    assert points[0] == (1.0, float(counts[0]))
    assert points[-1] == (float(len(counts)), float(counts[-1]))
    assert len(points) <= 240


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_linear_ticks_are_round_and_inside(low: float, width: float) -> None:
    ticks = charts.linear_ticks(low, low + width)
    assert 1 <= len(ticks) <= 12
    slack = 1e-6 * max(abs(low), width)
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)


@pytest.mark.parametrize(("value", "expected"), [(10, 0.5), (1, 0.0), (100, 1.0)])
def test_a_log_axis_is_even_in_ratios(value: float, expected: float) -> None:
    assert charts.Axis("", 1, 100, log=True).share(value) == pytest.approx(expected)


def test_names_are_escaped() -> None:
    svg = charts.line_chart([charts.Line("<b>", [(0, 0)], "one")], charts.Axis("<x>", 0, 1), charts.Axis("y", 0, 1))
    drawn = ET.fromstring(svg)  # noqa: S314
    assert {child.tag for child in drawn.iter()} == {"svg", "line", "text", "polyline"}
