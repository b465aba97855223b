"""Dangerous lists through img2dataset and witbuild, each really run, both with a timeout of 5 s.

One server answers at a public address, at loopback and at the clouds' metadata address, in a network namespace of its
own. `IMG2DATASET=/path/to/bin/img2dataset make bench ONLY=dangers`; the PNG is of the fuzz corpus of zune-image.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.conftest import ROOT, Bench
from tests.bench.dangers import METADATA, PUBLIC

pytestmark = pytest.mark.bench

CRASH = "images/6170259e98405b37.crash"
PAGE = ROOT / "docs" / "security.md"
START, END = "<!-- dangers -->\n", "<!-- end of dangers -->\n"
NETWORK = f"ip link set lo up && ip addr add {PUBLIC}/32 dev lo && ip addr add {METADATA}/32 dev lo"


def test_dangers(bench: Bench, shared_hostile: dict[str, bytes], tmp_path: Path) -> None:
    if "IMG2DATASET" not in os.environ or not shutil.which("unshare"):
        pytest.skip("needs IMG2DATASET and a Linux that lets one make network namespaces")
    crash, out = tmp_path / "crash.png", tmp_path / "out.json"
    crash.write_bytes(shared_hostile[CRASH])
    inside = f'{NETWORK} && exec "$@"'
    command = [sys.executable, "-m", "tests.bench.dangers", str(out), str(crash)]
    subprocess.run(["unshare", "-rn", "sh", "-c", inside, "sh", *command], cwd=ROOT, check=True)
    found: dict[str, list[str]] = json.loads(out.read_text())
    bench.head = "| what the list holds | img2dataset | witbuild |\n|---|---|---|"
    bench.rows = [f"| {name} | {theirs} | {mine} |" for name, (theirs, mine) in found.items()]
    page = PAGE.read_text()
    before, after = page.partition(START)[0], page.partition(END)[2]
    PAGE.write_text(before + START + bench.table() + END + after)
    mine = {name: said for name, (_, said) in found.items()}
    assert mine.pop("a good image").startswith("stored")
    assert all(said.startswith("refused") for said in mine.values()), mine
