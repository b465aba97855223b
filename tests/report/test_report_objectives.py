"""The comparison of objectives: means over seeds, where a line crosses an accuracy, a chart that stands alone."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from witbuild.report import objectives

SCALES = {
    "quick <one>": 2000.0,
    "slow": 8000.0,
    "third of a longer name than others": 4000.0,
    "and a fourth of them": 4000.0,
}
"""Arm -> samples in which it covers 63% of the way that it has left."""


def curves() -> pa.Table:
    rows = [
        {
            "arm": arm, "seed": seed, "step": step, "samples_seen": step * 100, "seconds": step * 0.1 * (1 + seed),
            "accuracy": 1 - math.exp(-step * 100 / scale) - 0.01 * seed,
        }
        for arm, scale in SCALES.items()
        for seed in (1, 0)
        for step in (40, 10, 20, 30)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def test_arms_are_compared_where_the_worst_still_is() -> None:
    # the slow one ends at 1 - exp(-0.5) - 0.005 = 0.388
    assert objectives.common_accuracy(curves()) == 0.35


def test_means_and_crossings() -> None:
    found = objectives.arms(curves(), 0.35)
    assert [arm.name for arm in found] == list(SCALES)
    quick, slow, *_ = found
    assert quick.curve[0] == pytest.approx((1000.0, 1 - math.exp(-0.5) - 0.005))
    assert quick.accuracies == pytest.approx([1 - math.exp(-2) - 0.01, 1 - math.exp(-2)])
    assert quick.samples == pytest.approx([1000 * 0.35 / (1 - math.exp(-0.5) - 0.01 * seed) for seed in (1, 0)])
    exact = 8000 * -math.log(1 - 0.35)
    assert max(slow.samples) > min(slow.samples) > exact - 100
    assert slow.seconds == pytest.approx(
        [samples / 1000 * (1 + seed) for samples, seed in zip(slow.samples, (1, 0), strict=True)]
    )
    never = objectives.arms(curves(), 0.8)
    assert never[0].samples and not never[1].samples
    assert objectives.table(never)[1][:3] == ("slow", "never", "never")


def test_the_chart_stands_alone() -> None:
    svg = objectives.standalone(objectives.draw(objectives.arms(curves(), 0.35)))
    root = ET.fromstring(svg)  # noqa: S314 ours
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    names = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text") if node.get("class") == "legend"]
    assert names == list(SCALES)
    _, top, _, height = map(float, root.attrib["viewBox"].split())
    heights = [float(node.attrib["y"]) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert top < 0 and top <= min(heights) and max(heights) <= top + height
    assert len({node.get("class") for node in root.iter("{http://www.w3.org/2000/svg}polyline")}) == 4
    assert "url(" not in svg and "--line" in svg
