"""What a job and all its processes take: CPU, wall time, the most memory at any moment, read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Taken:
    """By a session of processes, so far."""

    apart: int = 0
    """A process of the session that belongs to the bench, not to the job."""
    wall: float = 0.0
    together: int = 0
    """Most bytes of memory of all processes at one moment, shared pages counted once (PSS)."""
    single: int = 0
    """Most bytes of memory of one process (RSS)."""
    seconds: dict[int, float] = field(default_factory=dict)
    """Process -> its CPU seconds when last seen."""
    loads: list[float] = field(default_factory=list)
    """Of the machine, as often as was looked."""

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return sum(self.seconds.values())

    @property
    def load(self) -> float:
        """Processes that wanted a core, on average, these and others."""
        return sum(self.loads) / max(len(self.loads), 1)

    def look(self, session: int) -> None:
        """Take note of what the processes of a session have taken by now."""
        self.loads.append(os.getloadavg()[0])
        together = 0
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and folder.name != str(self.apart):
                together += self._add(folder, session)
        self.together = max(self.together, together)

    def _add(self, folder: Path, session: int) -> int:
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) != session or fields[0] == "Z":
                return 0
            memory = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return 0
        self.seconds[int(folder.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
        self.single = max(self.single, int(memory["Rss"].split()[0]) * 1024)
        return int(memory["Pss"].split()[0]) * 1024


def watched(code: str, *arguments: str) -> Taken:
    """Run a piece of Python in a session of its own and watch it."""
    taken, started = Taken(), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], start_new_session=True)
    while process.poll() is None:
        taken.look(process.pid)
        time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    taken.wall = time.perf_counter() - started
    return taken
