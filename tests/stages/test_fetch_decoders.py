"""Decoding processes: what breaks one costs one sample, and the next is decoded."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.planted_decoders import PLAIN, Asked, Planted, obey
from tests.server import Reply, Site
from witbuild.image.failure import REASONS, ImageError
from witbuild.image.prepare import Plan
from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.stage import Task
from witbuild.stages.fetch import quarantine
from witbuild.stages.fetch.decoders import Decoders
from witbuild.stages.fetch.decoding import Limits
from witbuild.stages.fetch.journal import Image
from witbuild.stages.fetch.make import Make
from witbuild.text.keys import pair_key

QUICK = Limits(seconds=0.7, memory_bytes=50_000_000)


def fate(decoders: Asked, body: bytes) -> str:
    try:
        decoders.ask(body)
    except ImageError as error:
        return f"{error.reason}: {error.detail}"
    return "ok"


def test_every_fate_has_its_reason_and_the_next_body_is_decoded() -> None:
    with Asked(obey, 1, QUICK) as decoders:
        for body, told in [
            (b"crash", "image_crash: the decoder died: SIGSEGV"),
            (b"loop", "image_timeout: the decoder was stopped at its time limit"),
            (b"eat", "image_memory: "),
            (b"leave", "image_crash: the decoder died: exit code 3"),
            (b"refuse", "image_broken: as told"),
            (b"mumble", "image_broken: half a character: ?"),
        ]:
            assert fate(decoders, body) == told
            assert told.split(":")[0] in REASONS
            assert fate(decoders, b"good") == "ok"


def test_a_decoder_that_sleeps_is_ended_by_the_clock() -> None:
    with Asked(obey, 1, Limits(seconds=0.05)) as decoders:
        assert fate(decoders, b"sleep").startswith("image_timeout")


def test_a_process_that_has_nothing_to_do_is_left_alone() -> None:
    with Asked(obey, 1, Limits(seconds=0.15)) as decoders:
        first = decoders.ask(b"x")[1].split()[0]
        time.sleep(1.8)  # more than a body may take by the clock
        assert decoders.ask(b"x")[1].split()[0] == first


def test_a_process_that_refuses_is_kept_and_one_that_breaks_is_replaced() -> None:
    with Asked(obey, 1, QUICK) as decoders:
        first = decoders.ask(b"x")[1].split()[0]
        assert fate(decoders, b"refuse").startswith("image_broken")
        assert decoders.ask(b"x")[1].split()[0] == first
        assert fate(decoders, b"crash").startswith("image_crash")
        assert decoders.ask(b"x")[1].split()[0] != first


def outcomes(found: list[tuple[Image, bytes] | ImageError]) -> list[bytes | str]:
    return [one.reason if isinstance(one, ImageError) else one[1].split(b" ", 1)[1] for one in found]


@pytest.mark.parametrize("processes", [1, 3])
def test_many_at_once_get_their_own_answers(processes: int) -> None:
    bodies = [b"%d" % number * 70_000 for number in range(10)] + [b"crash", b"", b"refuse"] * 3
    odd = {b"crash": "image_crash", b"refuse": "image_broken"}
    with Asked(obey, processes, QUICK) as decoders:
        assert outcomes(decoders.all(bodies)) == [odd.get(body, body) for body in bodies]


def test_a_body_that_waits_behind_one_that_breaks_its_process_is_made_by_the_next() -> None:
    with Asked(obey, 1, QUICK) as decoders:
        assert outcomes(decoders.all([b"loop", b"one", b"two"])) == ["image_timeout", b"one", b"two"]
        assert outcomes(decoders.all([b"one", b"crash", b"leave"])) == [b"one", "image_crash", "image_crash"]


def test_who_goes_away_leaves_the_answers_of_the_others() -> None:
    async def leave() -> bytes:
        async with Decoders(obey, 1, QUICK) as decoders:
            gone = [asyncio.ensure_future(decoders(b"%d" % number * 300_000)) for number in range(4)]
            last = asyncio.ensure_future(decoders(b"last"))
            await asyncio.sleep(0.05)
            for one in gone:
                one.cancel()
            return (await last)[1].split()[1]

    assert asyncio.run(leave()) == b"last"


def test_an_answer_is_that_of_the_function() -> None:
    make, body = Make(Plan(), md5=True), jpeg(3, 400)
    with Asked(make, 1, Limits()) as decoders:
        assert decoders.ask(body) == make(body)
    with Asked(obey, 1, Limits()) as decoders:
        assert decoders.ask(b"large" * 1_000_000)[0] == PLAIN


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_no_process_stays() -> None:
    with Asked(obey, 1, QUICK) as decoders:
        process = int(decoders.ask(b"x")[1].split()[0])
        assert not gone(process)
    assert gone(process)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_decoder_ends_at_its_limit_though_its_parent_was_killed(tmp_path: Path) -> None:
    script = f"from tests.planted_decoders import main\nif __name__ == '__main__':\n    main({str(tmp_path / 'who')!r})"
    program = tmp_path / "program.py"
    program.write_text(script)
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, program], env={**os.environ, "PYTHONPATH": str(root)})
    until(lambda: (tmp_path / "who").exists() and (tmp_path / "who").read_bytes().endswith(b"who"))
    process = int((tmp_path / "who").read_bytes().split()[0])
    parent.kill()
    parent.wait()
    until(lambda: gone(process))


def test_a_process_that_cannot_start_is_no_images_fault(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from witbuild.stages.fetch.decoding import Limits\nfrom tests.planted_decoders import Asked, obey\n"
        "with Asked(obey, 1, Limits()) as decoders:\n    decoders.ask(b'x')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WorkerError: a decoding process ended before it began" in done.stderr
    assert "if __name__ == '__main__':" in done.stderr


def until(true: object) -> None:
    deadline = time.monotonic() + 300
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_stage_keeps_what_broke_its_decoder(tmp_path: Path) -> None:
    pages = {f"/{name}.jpg": Reply(name.encode()) for name in ("crash", "loop", "refuse")}
    with Site({**pages, "/good.jpg": Reply(jpeg(1, 300))}) as site:
        found = [f"http://a.test/{name}.jpg" for name in ("good", "crash", "loop", "refuse")]
        rows = [
            {"key": pair_key(url, "x"), "url": url, "caption": "x", "caption_source": "alt", "source": "list"}
            for url in found
        ]
        source = tmp_path / "pairs.parquet"
        tables.write(source, tables.from_rows(rows, PAIRS), dropped={}, row_groups=(len(rows),))
        stage = Planted(
            user_agent="t/0 (+http://contact.test/)", allow_private=True, resolve=site.resolve("a.test"), retries=0,
            decode_seconds=1.0,
        )  # fmt: skip
        part = stage.process(Task(0, {"pairs": (str(source),)}, {"slice": 0}, str(tmp_path / "scratch")))
    assert part.table["url"].to_pylist() == [found[0]]
    assert part.dropped == {"image_crash": 1, "image_timeout": 1, "image_broken": 1}
    kept = {row["url"]: row for row in pq.read_table(part.files["quarantine"]).to_pylist()}
    assert {url: (row["reason"], row["body"]) for url, row in kept.items()} == {
        found[1]: ("image_crash", b"crash"),
        found[2]: ("image_timeout", b"loop"),
    }
    assert kept[found[1]]["detail"].endswith("SIGSEGV")


def test_bodies_beyond_the_bound_are_only_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from witbuild.stages.fetch.journal import Outcome

    monkeypatch.setattr(quarantine, "MAX_BYTES", 10)
    outcomes = [Outcome(url=f"http://a.test/{n}", status="image_crash") for n in range(3)]
    for outcome in outcomes:
        quarantine.keep(tmp_path, outcome.url, b"12345")
    quarantine.write(tmp_path / "q.parquet", tmp_path, [*outcomes, Outcome(url="http://a.test/x", status="http_404")])
    table = pq.read_table(tmp_path / "q.parquet")
    assert table["body"].to_pylist() == [b"12345", b"12345", None]
    assert len(set(table["body_sha256"].to_pylist())) == 1
