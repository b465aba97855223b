"""131 hostile images, each decoded by itself: OpenCV as img2dataset calls it, Pillow with all its formats, witbuild.

`more memory` is what a decode needs above what its process has before. Limits, which witbuild's decoding processes have
besides, are not set here. `IMG2DATASET=/path/to/bin/img2dataset make bench ONLY=hostile`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.bench.conftest import ROOT, Bench

pytestmark = pytest.mark.bench

PAGE = ROOT / "docs" / "security.md"
START, END = "<!-- decoders -->\n", "<!-- end of decoders -->\n"
NAMES = {"img2dataset": "img2dataset's Resizer (OpenCV)", "pillow": "Pillow, all formats", "witbuild": "witbuild"}
GIGABYTE = 1_000_000_000


def ends(name: str, folder: Path) -> dict[str, tuple[str, float, int]]:
    python = sys.executable if name != "img2dataset" else str(Path(os.environ["IMG2DATASET"]).with_name("python"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if python == sys.executable else ""}
    command = [python, "-W", "ignore", str(ROOT / "tests/bench/decode_each.py"), name, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, env=environment)
    found: dict[str, tuple[str, float, int]] = json.loads(done.stdout)
    return found


def test_hostile(bench: Bench, shared_hostile: dict[str, bytes], tmp_path: Path) -> None:
    for name, body in shared_hostile.items():
        if name.startswith(("exif/", "images/")):
            (tmp_path / name.replace("/", "-")).write_bytes(body)
    bench.head = (
        "| decoder | stored | refused | crashed | over 5 s | most CPU s | over 1 GB more memory | most more memory |\n"
        + "|---" * 8
        + "|"
    )
    for name in [name for name in NAMES if name != "img2dataset" or "IMG2DATASET" in os.environ]:
        found = ends(name, tmp_path)
        count = Counter(told for told, _, _ in found.values())
        seconds, memory = [one[1] for one in found.values()], [one[2] for one in found.values()]
        cells = [
            NAMES[name], count["stored"], count["refused"], count["crashed"], sum(one > 5 for one in seconds),
            f"{max(seconds):.1f}", sum(one > GIGABYTE for one in memory), f"{max(memory) / 1e6:,.0f} MB",
        ]  # fmt: skip
        bench.rows.append(f"| {' | '.join(map(str, cells))} |")
    assert (count["crashed"], max(seconds) < 30, max(memory) < 1.5 * GIGABYTE) == (0, True, True)
    page = PAGE.read_text()
    before, after = page.partition(START)[0], page.partition(END)[2]
    PAGE.write_text(before + START + bench.table() + END + after)
