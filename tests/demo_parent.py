"""A process that starts the demo's server, says which process it is once it is ready, and waits to be killed."""

from __future__ import annotations

import sys
import time

from witbuild.demo.serving import Serving


def main(size: int) -> None:
    with Serving(0, size) as server:
        assert server.resolve
        sys.stdout.write(f"{server.process_id}\n")
        sys.stdout.flush()
        time.sleep(60)
