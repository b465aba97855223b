"""What a fetch would cost before anything is asked: requests, bytes, the hosts that politeness makes slow, time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.io import tables
from witbuild.stages.fetch.collect import WANTED, Room, refusals
from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from witbuild.stages.fetch.parameters import Fetching

IMAGE_BYTES = 100_000
"""Of an image on the web, on average."""
REQUEST_SECONDS = 0.5
"""Of a request on the wire, on average."""
_RULES = {"strict": 3, "robots": 1, "none": 0}
"""Files of rules that are asked for at each host: robots.txt, ai.txt, tdmrep.json."""


@dataclass(slots=True)
class Forecast:
    """Counts of what would be asked.

    Attributes:
        hosts: host -> images.
        tasks: slice -> images.
        refused: reason -> rows that would not be asked for.
    """

    stage: Fetching
    hosts: Counter[str] = field(default_factory=Counter)
    tasks: Counter[int] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _room: Room = field(init=False)

    def __post_init__(self) -> None:
        self._room = Room(self.stage.max_per_domain)

    def add(self, path: str) -> None:
        """Count a part's rows; a URL of several rows of it is asked for once."""
        rows = tables.read(path, list(WANTED)).to_pylist()
        asked: set[str] = set()
        for row, reason in zip(rows, refusals(rows, self.stage, self._room), strict=True):
            url = urls.without_fragment(row["url"])
            if reason or not urls.host(url):
                self.refused[reason or "bad_url"] += 1
            elif url not in asked:
                asked.add(url)
                self.hosts[urls.host(url)] += 1
                self.tasks[urls.domain_slice(url, self.stage.slices)] += 1

    @property
    def images(self) -> int:
        """Images that would be asked for."""
        return self.hosts.total()

    @property
    def requests(self) -> int:
        """Requests for them and for the rules of their hosts."""
        return self.images + len(self.hosts) * _RULES[self.stage.respect]

    @property
    def bytes(self) -> int:
        """Bytes that would come."""
        return self.images * IMAGE_BYTES

    def host_seconds(self, host: str) -> float:
        """Return how long politeness makes a host take."""
        requests = self.hosts[host] + _RULES[self.stage.respect]
        return requests * max(self.stage.delay_seconds, REQUEST_SECONDS / self.stage.per_host)

    def slowest(self, count: int = 10) -> list[tuple[str, int, float]]:
        """Return the hosts that take longest: name, images, seconds."""
        return [(host, images, self.host_seconds(host)) for host, images in self.hosts.most_common(count)]

    def task_seconds(self, images: int) -> float:
        """Return how long a task of so many images takes, the slowest host and the decoding of images left out."""
        share = images / max(self.images, 1)
        wire = self.requests * share * REQUEST_SECONDS / self.stage.connections
        limit = self.stage.bandwidth_limit * 1e6
        return max(wire, images * IMAGE_BYTES / limit if limit else 0.0)

    def seconds(self, at_once: int) -> float:
        """Return how long all tasks take, so many at once; never less than the slowest host."""
        each = sorted((self.task_seconds(images) for images in self.tasks.values()), reverse=True)
        slowest = max((seconds for _, _, seconds in self.slowest(1)), default=0.0)
        return max(slowest, sum(each) / max(at_once, 1), each[0] if each else 0.0)


def forecast(paths: Iterable[str], stage: Fetching) -> Forecast:
    """Return the forecast of a fetch over parts of pairs; nothing is asked of anybody."""
    found = Forecast(stage)
    for path in paths:
        found.add(path)
    return found


def lines(found: Forecast, at_once: int) -> list[str]:
    """Return a forecast as a person reads it.

    Args:
        found: the forecast.
        at_once: tasks that run at a time.
    """
    stage, rules, largest = found.stage, found.requests - found.images, max(found.tasks.values(), default=0)
    took = clock(found.seconds(at_once))
    told = [
        f"requests  {found.requests:,}: {found.images:,} images, {rules:,} files of rules, {len(found.hosts):,} hosts",
        f"bytes     about {found.bytes / 1e9:,.1f} GB, at {IMAGE_BYTES // 1000} KB an image",
        f"tasks     {len(found.tasks):,} of {stage.slices:,} hold any; the largest {largest:,} images",
        f"time      about {took} with {at_once} tasks at once, {REQUEST_SECONDS:g} s a request, decoding left out",
    ]
    if stage.hours:
        told.append(f"hours     within {stage.hours} only; the time above is that of open hours")
    told += [f"not asked {rows:,} rows: {reason}" for reason, rows in found.refused.most_common()]
    told += [f"slow host {host}: {images:,} images, {clock(seconds)}" for host, images, seconds in found.slowest(5)]
    return told


def clock(seconds: float) -> str:
    """Return seconds for a person.

    Example:
        >>> clock(59), clock(5400), clock(400_000)
        ('59 s', '1.5 h', '4.6 days')
    """
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or (unit == "h" and seconds >= size):
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
