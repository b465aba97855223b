"""How far tasks are that are being done now: what they write into their scratch folders, added up."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REASONS, _HOSTS = 5, 3


def look(run: str) -> str:
    """Return how far the tasks of a run are that tell it, in a line; empty when none does.

    Example:
        >>> import tempfile
        >>> run = tempfile.mkdtemp()
        >>> folder = Path(run) / "02-fetch.download" / "scratch" / "00000"
        >>> folder.mkdir(parents=True)
        >>> told = {"done": 3, "total": 9, "statuses": {"ok": 2, "http_404": 1}, "hosts": [["a.test", 6]]}
        >>> _ = (folder / "progress.json").write_text(json.dumps(told))
        >>> look(run)
        '3 of 9 in 1 task: ok 2, http_404 1; most left: a.test 6'
    """
    found = [told for path in sorted(Path(run).glob("*/scratch/*/progress.json")) if (told := _read(path))]
    if not found:
        return ""
    statuses, hosts = Counter[str](), Counter[str]()
    for told in found:
        statuses.update(told["statuses"])
        hosts.update(dict(told["hosts"]))
    done, total = (sum(told[name] for told in found) for name in ("done", "total"))
    tasks = f"{len(found)} task" + ("s" if len(found) > 1 else "")
    text = f"{done:,} of {total:,} in {tasks}: {_top(statuses, _REASONS)}"
    return f"{text}; most left: {_top(hosts, _HOSTS)}" if hosts else text


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # the task has ended meanwhile
        return None
    return told


def _top(counts: Counter[str], most: int) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common(most)) or "nothing yet"


@contextmanager
def watching(run: str, tell: Callable[[str], None], every_seconds: float) -> Iterator[None]:
    """Tell how far a run is, every so many seconds while there is something to tell, until the block ends."""
    ended = threading.Event()

    def go() -> None:
        while not ended.wait(every_seconds):
            if text := look(run):
                tell(text)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
