"""Charts: numbers in, SVG out; colours come from the page's style, by class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.report.markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 46
_LEGEND_ROW = 18
_SUFFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(value: float) -> str:
    """Return a number as an axis shows it.

    Example:
        >>> [short(value) for value in (0, 0.25, 7, 1500, 20_000, 4e8)]
        ['0', '0.25', '7', '1.5k', '20k', '400M']
    """
    for size, suffix in _SUFFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round values from low to high, about so many: multiples of 1, 2 or 5 times a power of ten.

    Example:
        >>> linear_ticks(0.0, 9.0), linear_ticks(1.2, 1.9)
        ([0.0, 2.0, 4.0, 6.0, 8.0], [1.2, 1.4, 1.6, 1.8])
    """
    rough = max(high - low, 1e-12) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten from low to high.

    Example:
        >>> log_ticks(1, 2500)
        [1.0, 10.0, 100.0, 1000.0]
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**i for i in range(first, last + 1)]


@dataclass(frozen=True)
class Axis:
    """A range of numbers laid over a range of pixels."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies between low (0) and high (1).

        Example:
            >>> Axis("", 1, 100, log=True).share(10), Axis("", 0, 4).share(1)
            (0.5, 0.25)
        """
        low, high, at = map(math.log, (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return (at - low) / ((high - low) or 1)

    @property
    def ticks(self) -> list[float]:
        """The values to be named."""
        return log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high)


@dataclass(frozen=True)
class Line:
    """A named curve; `style` is a class of the page's style."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str


def line_chart(lines: Sequence[Line], x: Axis, y: Axis, *, limit: tuple[str, float] | None = None) -> Markup:
    """Return an SVG of curves over two axes, with a horizontal line where there is a limit.

    Example:
        >>> svg = line_chart([Line("a", [(1, 1), (10, 5)], "one")], Axis("x", 1, 10, log=True), Axis("y", 0, 5))
        >>> svg.startswith("<svg"), svg.count("<polyline"), 'points="64,226 704,34"' in svg
        (True, 1, True)
    """
    names = ", ".join(line.name for line in lines)
    legend, higher = _legend(lines)
    return element(
        "svg",
        _grid(x, y),
        [_polyline(line, x, y) for line in lines],
        None if limit is None else _rule(*limit, y),
        legend,
        viewBox=f"0 {-higher} {WIDTH} {HEIGHT + higher}",
        role="img",
        aria_label=f"{y.label} over {x.label}: {names}",
    )


def _place_x(share: float) -> float:
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _place_y(share: float) -> float:
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def _polyline(line: Line, x: Axis, y: Axis) -> Markup:
    points = " ".join(f"{_place_x(x.share(a)):g},{_place_y(y.share(b)):g}" for a, b in line.points)
    return element("polyline", points=points, class_=f"curve {line.style}")


def _rule(name: str, value: float, y: Axis) -> Markup:
    at = _place_y(y.share(value))
    line = element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=at, y2=at, class_="rule")
    return join(line, element("text", name, x=WIDTH - _RIGHT, y=at - 6, class_="rule-name"))


def _legend(lines: Sequence[Line]) -> tuple[Markup, int]:
    """Return the names of curves in rows, the last one where there is room for one, and how high the others are."""
    rows: list[list[Line]] = [[]]
    for line in lines:
        if rows[-1] and sum(map(_legend_width, (*rows[-1], line))) > WIDTH - _LEFT:
            rows.append([])
        rows[-1].append(line)
    higher = _LEGEND_ROW * (len(rows) - 1)
    out = []
    for number, row in enumerate(rows):
        at, y = float(_LEFT), 14 - higher + _LEGEND_ROW * number
        for line in row:
            out.append(element("line", x1=at, x2=at + 22, y1=y, y2=y, class_=f"curve {line.style}"))
            out.append(element("text", line.name, x=at + 28, y=y + 4, class_="legend"))
            at += _legend_width(line)
    return join(out), higher


def _legend_width(line: Line) -> int:
    return 52 + 7 * len(line.name)


def _grid(x: Axis, y: Axis) -> Markup:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    out = []
    for value in x.ticks:
        at = _place_x(x.share(value))
        out.append(element("line", x1=at, x2=at, y1=_TOP, y2=bottom, class_="grid"))
        out.append(element("text", short(value), x=at, y=bottom + 18, class_="tick middle"))
    for value in y.ticks:
        at = _place_y(y.share(value))
        out.append(element("line", x1=_LEFT, x2=right, y1=at, y2=at, class_="grid"))
        out.append(element("text", short(value), x=_LEFT - 8, y=at + 4, class_="tick end"))
    out.append(element("text", x.label, x=(_LEFT + right) / 2, y=HEIGHT - 8, class_="axis middle"))
    turned = f"rotate(-90 14 {(_TOP + bottom) / 2:g})"
    out.append(element("text", y.label, x=14, y=(_TOP + bottom) / 2, class_="axis middle", transform=turned))
    return join(out)


def bar(share: float, style: str = "") -> Markup:
    """Return a bar whose filled part is a share of its length.

    Example:
        >>> bar(0.5)
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" class="bar" aria-hidden="true">\
<rect width="100" height="8" class="empty"/><rect width="50" height="8" class="full"/></svg>'
    """
    filled = max(min(share, 1.0), 0.0) * 100
    back = element("rect", width=100, height=8, class_="empty")
    front = element("rect", width=filled, height=8, class_=f"full {style}".rstrip())
    return element(
        "svg", back, front, viewBox="0 0 100 8", preserveAspectRatio="none", class_="bar", aria_hidden="true"
    )
