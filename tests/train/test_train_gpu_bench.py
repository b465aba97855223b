"""The script that measures on a GPU runs: every part, at toy size, on a CPU."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip_train")
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("default", "ignore:unclosed file:ResourceWarning")]

from tests.bench import gpu  # noqa: E402

ROOT = Path(__file__).parents[2]
PARTS = {"end to end": 2, "utilisation": 2, "exact step": 1, "loss alone": 1, "data path": 1}


def check(page: str) -> None:
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    found = [row[0] for row in cells[1:]]
    assert {part: found.count(part) for part in PARTS} == PARTS
    assert all(any(character.isdigit() for character in row[3]) for row in cells[1:])


def test_every_part_runs(tmp_path: Path) -> None:
    page = gpu.main(["--toy", "--out", str(tmp_path / "gpu.md")])
    gc.collect()  # open_clip_train leaves a tar open; found later, it would be another test's failure
    assert (tmp_path / "gpu.md").read_text() == page
    check(page)


@pytest.mark.slow
def test_the_script_runs(tmp_path: Path) -> None:
    command = ["bash", "tests/bench/gpu.sh", "--toy", "--out", str(tmp_path / "gpu.md")]
    environment = {"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    check((tmp_path / "gpu.md").read_text())


def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "--toy runs every part" in capsys.readouterr().err
