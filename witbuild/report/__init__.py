"""Manifests and samples -> one HTML page.

page.py      head, cards, sections.py       markup.py   HTML that cannot be broken into
funnel.py    manifests -> lines             charts.py   numbers -> SVG
balance.py   matched queries -> the curve   style.css   light and dark
samples.py   tars -> tiles                  units.py    bytes, seconds, hosts
training.py  metrics and scores             planted.py  what the demo planted
duplicates.py  clusters -> examples
"""

from witbuild.report.page import build

__all__ = ["build"]
