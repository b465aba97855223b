"""What a command takes with all processes that it starts, orphans too: CPU as the kernel counts, and the clock."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.watch import Taken

# PR_SET_CHILD_SUBREAPER: a daemon whose parent has ended (a fork server) comes back here to be counted
_REAPER = """
import contextlib, ctypes, json, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
with open(sys.argv[2], "w") as log:
    code = subprocess.call(sys.argv[3:], stdout=log, stderr=log)
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
taken = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as stream:
    json.dump({"code": code, "cpu": taken.ru_utime + taken.ru_stime}, stream)
"""


@dataclass(frozen=True)
class Spent:
    """Seconds; bytes are 0 when nobody watched."""

    cpu: float
    wall: float
    peak_bytes: int = 0


def spent(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    watch: bool = False,
    limit_seconds: float = 300,
) -> Spent:
    """Run a command to its end and return what it took.

    Args:
        command: whose output is kept and shown when it fails.
        environment: of the command; None: this one's.
        watch: look at its memory every fifth of a second, which itself costs some CPU.
        limit_seconds: after which it is killed, with all that it started: TimeoutError.
    """
    with tempfile.TemporaryDirectory() as folder:
        told, log = Path(folder) / "told", Path(folder) / "log"
        started = time.perf_counter()
        wrapped = [sys.executable, "-c", _REAPER, str(told), str(log), *command]
        process = subprocess.Popen(wrapped, env=environment, start_new_session=True)
        taken = _wait(process, limit_seconds, watch=watch)
        wall = time.perf_counter() - started
        found = json.loads(told.read_text())
        if found["code"]:
            raise RuntimeError(f"{command} ended with {found['code']}:\n{log.read_text()[-2_000:]}")
    return Spent(found["cpu"], wall, taken.together)


def _wait(process: subprocess.Popen[bytes], limit_seconds: float, *, watch: bool) -> Taken:
    taken, end = Taken(apart=process.pid), time.monotonic() + limit_seconds
    while process.poll() is None:
        if time.monotonic() > end:
            subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
            process.wait()
            raise TimeoutError(f"not done within {limit_seconds:g} s")
        if watch:
            taken.look(process.pid)
        time.sleep(0.2 if watch else 0.02)
    return taken
