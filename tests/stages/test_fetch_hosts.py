"""Ten thousand hosts at once, and all the requests that may be: none is refused for what this machine takes to ask."""

from __future__ import annotations

import resource
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from tests.bench.downloaders import Ours
from tests.bench.slow_web import address, slow_web
from tests.fetched import jpeg
from witbuild.web.descriptors import RESERVED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTS = 10_000
MOST_BYTES = 400_000_000


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_many_hosts_and_connections_cost_no_row_and_no_memory(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = HOSTS if most == resource.RLIM_INFINITY else min(HOSTS, most - RESERVED)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "0.jpg").write_bytes(jpeg(1, 64))
    with slow_web(tmp_path / "web", 0.05) as port:
        options = ("--shards", "1", "--timeout", "10", "--max-hosts", str(HOSTS), "--connections", str(connections))
        ours = Ours(tmp_path, port, options)
        spent = ours([f"http://{address(number)}:{port}/0.jpg" for number in range(HOSTS)], watch=True)
    record_property("memory", spent.peak_bytes)
    record_property("wall", spent.wall)
    (fetches,) = ours.out().glob("*fetch.download*/fetches/*.parquet")
    assert Counter(pq.read_table(fetches)["status"].to_pylist()) == {"ok": HOSTS}
    assert spent.peak_bytes < MOST_BYTES
