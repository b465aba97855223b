"""`witbuild fetch` beside img2dataset: list to stored images, both as commands, from one server on loopback.

Made-up photographs of 640x480 to 2000x1500 pixels, 105 KB on average, 3 in 10 progressive; both store JPEGs of short
side 256, quality 90, and hash each body by SHA-256. CPU is that of all processes of the client, medians of five runs in
alternation. "One process": one that decodes, beside img2dataset with one process of 32 threads. What a start costs (a
list of one image) is taken off in the rows "without start". witbuild also asks robots.txt, hashes the pixels of what it
stored and writes a row for every failure; `--oversample 1` decodes at the smallest scale that is large enough, which
docs/benchmarks/image.md has the likeness of. The late web is 1,000 hosts (addresses of 127.0.0.0/8), whose server
shares the two cores; the better of two runs by the clock counts.
`IMG2DATASET=/path/to/bin/img2dataset make bench-fetch`
"""

from __future__ import annotations

import hashlib
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bench import photographs
from tests.bench.conftest import Bench
from tests.bench.downloaders import Ours, Peer
from tests.bench.slow_web import address, slow_web
from tests.bench.spent import Spent
from tests.bench.web_server import nginx

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]  # minutes on a machine that has other work

HEAD = (
    "| job | side | images | CPU ms an image | images a CPU s | images/s by the clock | first is faster by |\n"
    + "|---" * 7
    + "|"
)
PHOTOGRAPHS, IMAGES, ROUNDS = 200, 1_000, 5
HOSTS, LATE_IMAGES, LATE_ROUNDS = 1_000, 1_500, 2
FEW = 300
QUEUE, MOST_BYTES = 10_000, 400_000_000
EVIL = tuple(address(number) for number in range(50, HOSTS, 100))
LATE = ("--shards", "2", "--timeout", "10")
SMALL = ("--size", "128", "--oversample", "1")
"""What makes 10,000 images cheap to decode: it is the network that is looked at."""
Side = Ours | Peer


@pytest.fixture(scope="module")
def corpus() -> Path:
    return photographs.saved(PHOTOGRAPHS)


def listed(port: int, count: int, hosts: int) -> list[str]:
    """Return URLs, one host after the other."""
    return [f"http://{address(i % hosts)}:{port}/{i % PHOTOGRAPHS}.jpg?{i}" for i in range(count)]


def sides(ours: Ours, threads: int) -> list[Side]:
    return [ours, Peer(ours.folder, threads)] if "IMG2DATASET" in os.environ else [ours]


def tell(bench: Bench, job: str, images: int, found: Sequence[tuple[Side, Sequence[Spent]]], *, by: str) -> None:
    """Add a row a side: medians of CPU, or what was best by the clock, since what else runs can only slow it."""
    bench.head = HEAD
    middle = statistics.median if by == "cpu" else min
    figures = [(side, middle(one.cpu for one in taken), middle(one.wall for one in taken)) for side, taken in found]
    for side, cpu, wall in figures:
        ratio = cpu / figures[0][1] if by == "cpu" else wall / figures[0][2]
        cells = [
            job,
            side.name,
            f"{images:,}",
            f"{1000 * cpu / images:.2f}",
            f"{images / cpu:,.0f}",
            f"{images / wall:,.0f}",
        ]
        bench.rows.append(f"| {' | '.join(cells)} | {'1' if ratio == 1 else f'{ratio:.2f}x'} |")


def test_cpu(bench: Bench, corpus: Path, tmp_path: Path) -> None:
    with nginx(corpus, tmp_path / "nginx") as port:
        options = ("--per-host", "32", "--shards", "1", "--decode-processes", "1")
        coarse = Ours(tmp_path, port, (*options, "--oversample", "1"), "witbuild, `--oversample 1`")
        both = [*sides(Ours(tmp_path, port, options), 32), coarse]
        urls = listed(port, IMAGES, 1)
        start = [(side, [side(urls[:1]) for _ in range(3)]) for side in both]
        taken: list[tuple[Side, list[Spent]]] = [(side, []) for side in both]
        for _ in range(ROUNDS):
            for side, runs in taken:
                runs.append(side(urls))
                assert side.stored() == IMAGES
    tell(bench, "list to tar, one process", IMAGES, taken, by="cpu")
    base = [statistics.median(one.cpu for one in runs) for _, runs in start]
    clock = [statistics.median(one.wall for one in runs) for _, runs in start]
    less = [
        (side, [Spent(one.cpu - cpu, one.wall - wall) for one in runs])
        for (side, runs), cpu, wall in zip(taken, base, clock, strict=True)
    ]
    tell(bench, "the same without start", IMAGES, less, by="cpu")
    for (side, _), cpu, wall in zip(taken, base, clock, strict=True):
        bench.note(f"start of {side.name}: {cpu:.1f} s of CPU, {wall:.1f} s by the clock")


@pytest.mark.parametrize("late", [0.05, 0.2])
def test_clock(bench: Bench, corpus: Path, tmp_path: Path, late: float) -> None:
    with slow_web(corpus, late) as port:
        urls = listed(port, LATE_IMAGES, HOSTS)
        taken: list[tuple[Side, list[Spent]]] = [(side, []) for side in sides(Ours(tmp_path, port, LATE), 256)]
        for _ in range(LATE_ROUNDS):
            for side, runs in taken:
                runs.append(side(urls, workers=2))
                assert side.stored(workers=2) == LATE_IMAGES
    tell(bench, f"{HOSTS:,} hosts, {late * 1000:.0f} ms late, two processes", LATE_IMAGES, taken, by="clock")


def test_evil_hosts_and_memory(bench: Bench, corpus: Path, tmp_path: Path) -> None:
    taken: dict[bool, list[Spent]] = {False: [], True: []}
    for evil in (False, True) * LATE_ROUNDS:
        with slow_web(corpus, 0.05, EVIL if evil else ()) as port:
            ours = Ours(tmp_path, port, ("--shards", "1", "--timeout", "10", *SMALL))
            taken[evil].append(ours(listed(port, QUEUE, HOSTS), workers=1, watch=True))
            assert ours.stored() == QUEUE - (len(EVIL) * QUEUE // HOSTS if evil else 0)
    clean, evils = (min(one.wall for one in taken[evil]) for evil in (False, True))
    longer = evils / clean - 1
    bench.note(
        f"{QUEUE:,} images of {HOSTS:,} hosts in one part: {clean:.1f} s; with {len(EVIL)} evil hosts {evils:.1f} s, "
        f"{longer:+.0%}; 10 s a request, short side 128, `--oversample 1`; the better of {LATE_ROUNDS} runs each"
    )
    peak = max(one.peak_bytes for runs in taken.values() for one in runs)
    bench.note(f"most memory of all its processes then, {QUEUE:,} URLs waiting, a part of as many: {peak / 1e6:.0f} MB")
    assert peak < MOST_BYTES
    assert longer < 0.1


def test_workers_change_no_byte(bench: Bench, corpus: Path, tmp_path: Path) -> None:
    found = []
    with slow_web(corpus, 0.01) as port:
        ours = Ours(tmp_path, port, ("--shards", "4"))
        for workers in (1, 2):
            ours(listed(port, FEW, 50), workers=workers)
            found.append(digests(ours.out(workers)))
    assert found[0] == found[1]
    assert len(found[0]) == 12
    bench.note("one worker and two: the same bytes in pairs, images and fetches")


def digests(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each part that fetch left."""
    paths = [path for kind in ("pairs", "images", "fetches") for path in run.glob(f"*fetch.download*/{kind}/*")]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}
