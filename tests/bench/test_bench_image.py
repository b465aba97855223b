"""The image path: body as served to stored JPEG, short side 256, quality 90, beside img2dataset's Resizer and Pillow's.

Each side is a Python of its own, one thread, in turns; CPU seconds. Similarity (SSIM of 8x8 windows of luma) is to the
area mean of the fully decoded original, exact: not rounded to whole levels, as no side's result is what that would be.
witbuild makes the means from a JPEG's coefficients; `by the library` is what it does with unusual JPEGs: all pixels
decoded by simplejpeg, then their means. witbuild checks headers and hashes what it stores, which no peer does.
`real`: pieces of photographs of Debian's tuxpaint-data, 640 to 2,000 pixels wide, 3 in 10 progressive; `made up`:
tests/bench/photographs.py.
`IMG2DATASET=/path/to/bin/img2dataset make bench ONLY=image`
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pytest
from PIL import Image

from tests.bench import photographs
from tests.bench.conftest import ROOT, ROUNDS, Bench, Side
from tests.planted_decoders import Asked
from witbuild.image.prepare import Plan
from witbuild.image.resize import shrink
from witbuild.stages.fetch.decoding import Limits
from witbuild.stages.fetch.make import Make

pytestmark = pytest.mark.bench

HEAD = (
    "| images | side | CPU ms an image | images a CPU s | SSIM | bytes an image | witbuild is faster by |\n"
    + "|---" * 7
    + "|"
)
IMAGES = 120
REAL = Path("/usr/share/tuxpaint/templates")
DEFAULT = "witbuild"
SIDES = {
    DEFAULT: "witbuild",
    "library": "witbuild, by the library",
    "pillow": "Pillow, box",
    "img2dataset": "img2dataset's Resizer",
}


@pytest.fixture(scope="module")
def made_up() -> Path:
    return photographs.saved(IMAGES)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give pieces of real photographs: those of Debian's tuxpaint-data."""
    originals = [Image.open(path).convert("RGB") for path in sorted(REAL.glob("*.jpg"))]
    if not originals:
        pytest.skip(f"no photographs in {REAL}")
    folder, random = tmp_path_factory.mktemp("real"), np.random.default_rng(3)
    for number in range(IMAGES):
        _piece(originals[number % len(originals)], random).save(
            folder / f"{number}.jpg", quality=int(random.integers(80, 91)), progressive=number % 10 in (1, 4, 7)
        )
    return folder


def _piece(image: Image.Image, random: np.random.Generator) -> Image.Image:
    width = int(min(image.width, image.height * 4 / 3) * random.uniform(0.75, 1))
    height = width * 3 // 4
    left, top = (int(random.integers(0, room + 1)) for room in (image.width - width, image.height - height))
    size = min(int(random.integers(640, 2_000)), width * 8 // 5)
    return image.crop((left, top, left + width, top + height)).resize((size, size * 3 // 4), Image.Resampling.LANCZOS)


class Running:
    """A side in its own Python."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.input, self.output = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

    def tell(self, order: str) -> dict[str, Any]:
        self.input.write(f"{order}\n")
        self.input.flush()
        answer: dict[str, Any] = json.loads(self.output.readline())
        return answer


@contextmanager
def running(name: str, folder: Path) -> Iterator[Running]:
    python = sys.executable if name != "img2dataset" else str(Path(os.environ["IMG2DATASET"]).with_name("python"))
    command = [python, str(ROOT / "tests/bench/image_side.py"), name, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if python == sys.executable else ""}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    with process:
        yield Running(process)
        cast("IO[str]", process.stdin).close()


@pytest.mark.parametrize("corpus", ["real", "made_up"])
def test_image(bench: Bench, corpus: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder: Path = request.getfixturevalue(corpus)
    names = [name for name in SIDES if name != "img2dataset" or "IMG2DATASET" in os.environ]
    with ExitStack() as stack:
        sides = {name: stack.enter_context(running(name, folder)) for name in names}
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name, one in sides.items():
                seconds[name].append(one.tell("time")["seconds"])
        told = {name: saved(one, tmp_path / name, folder) for name, one in sides.items()}
    first = statistics.median(seconds[DEFAULT])
    bench.head = HEAD
    for name in names:
        spent, (likeness, size) = statistics.median(seconds[name]), told[name]
        cells = [
            corpus.replace("_", " "), SIDES[name], f"{1000 * spent / IMAGES:.2f}", f"{IMAGES / spent:,.0f}",
            f"{likeness:.4f}", f"{size:,.0f}", f"{spent / first:.2f}x",
        ]  # fmt: skip
        bench.rows.append(f"| {' | '.join(cells)} |")
    for peer in {"pillow", "img2dataset"} & set(names):
        assert round(told[DEFAULT][0], 4) >= round(told[peer][0], 4)


def saved(one: Running, place: Path, originals: Path) -> tuple[float, float]:
    """Return the mean likeness to the originals, and bytes an image."""
    place.mkdir()
    told = one.tell(f"save {place}")
    names = [path.name for path in place.iterdir()]
    likeness = [ssim((place / name).read_bytes(), (originals / name).read_bytes()) for name in names]
    return float(np.mean(likeness)), told["bytes"] / len(names)


def test_a_process_of_its_own(bench: Bench, real: Path) -> None:
    make = Make(Plan())
    bodies = [path.read_bytes() for path in real.iterdir()]
    shares: list[float] = []
    with Asked(make, 1, Limits()) as decoders:
        decoders.ask(bodies[0])
        process = decoders.decoders.up[0].pid
        for _ in range(2 * ROUNDS):
            alone = _spent(os.getpid(), process, lambda: [make(body) for body in bodies])
            apart = _spent(os.getpid(), process, lambda: decoders.all(bodies))
            shares.append(apart / alone - 1)
    share = statistics.median(shares)
    bench.note(f"Decoding in a process of its own, with limits, costs {share:.1%} more CPU than decoding in place.")
    assert share < 0.1


def _spent(one: int, other: int, run: Any) -> float:
    before = _cpu(one) + _cpu(other)
    run()
    return _cpu(one) + _cpu(other) - before


def _cpu(process: int) -> float:
    """Return the CPU seconds of a process so far (proc(5), stat, fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_shrink(bench: Bench) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (975, 1300, 3), np.uint8)
    image = Image.fromarray(pixels)
    rates = Bench().compare(
        "",
        "images",
        {
            "witbuild": Side(lambda: [shrink(pixels, 341, 256) for _ in range(50)], 50),
            "Pillow": Side(lambda: [image.resize((341, 256), Image.Resampling.BOX) for _ in range(50)], 50),
        },
    )
    bench.note(
        f"1300x975 to 341x256 alone: witbuild's exact area mean {1000 / rates['witbuild']:.2f} ms, "
        f"Pillow's box {1000 / rates['Pillow']:.2f} ms."
    )


def ssim(stored: bytes, original: bytes) -> float:
    """Return the mean structural similarity of 8x8 windows of luma (Wang et al. 2004, section III)."""
    with Image.open(io.BytesIO(stored)) as image:
        one = np.asarray(image.convert("RGB"))
    with Image.open(io.BytesIO(original)) as image:
        other = exact_mean(np.asarray(image.convert("RGB")), one.shape[1], one.shape[0])
    a, b = (_windows(pixels.astype(float) @ [0.299, 0.587, 0.114]) for pixels in (one, other))
    means = a.mean(1), b.mean(1)
    joint = (a * b).mean(1) - means[0] * means[1]
    top = (2 * means[0] * means[1] + 6.5025) * (2 * joint + 58.5225)
    bottom = (means[0] ** 2 + means[1] ** 2 + 6.5025) * (a.var(1) + b.var(1) + 58.5225)
    return float((top / bottom).mean())


def exact_mean(pixels: np.ndarray[Any, np.dtype[np.uint8]], width: int, height: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Return an image's area mean in fractions of levels."""
    down, across = _shares(pixels.shape[0], height), _shares(pixels.shape[1], width)
    return np.einsum("yi,xj,ijc->yxc", down, across, pixels, optimize=True)


def _shares(source: int, target: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the share of each of so many pixels in each of so many means."""
    edges = np.arange(target + 1) * source / target
    starts = np.arange(source)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return np.maximum(overlap, 0) * target / source


def _windows(luma: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    height, width = (side // 8 * 8 for side in luma.shape)
    return luma[:height, :width].reshape(height // 8, 8, width // 8, 8).transpose(0, 2, 1, 3).reshape(-1, 64)
