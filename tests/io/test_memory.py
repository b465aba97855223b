"""Memory kept between tasks: Arrow takes it from the C library, what was freed is used again, all can go back."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from witbuild.io import memory

CODE = """
import resource, sys
import numpy as np
import pyarrow as pa
from witbuild.io import memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def task():
    arrays = [np.full(300_000, i) for i in range(40)] + [pa.array(np.arange(500_000)).cast("int32") for _ in range(20)]
    return len(arrays)

memory.keep(kept=sys.argv[1] == "kept")
task(), task()
first = faults()
for _ in range(5):
    task()
again, held = faults() - first, resident()
memory.keep(kept=True)
memory.keep(kept=False)
print(again, held, resident())
"""


@pytest.fixture(autouse=True)
def _as_before() -> object:
    yield
    memory.keep(kept=False)


def measured(how: str) -> tuple[int, int, int]:
    done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True)
    again, held, after = map(int, done.stdout.split())
    return again, held, after


@pytest.mark.skipif(sys.platform != "linux" or memory._c_library() is None, reason="there is no glibc")
def test_what_a_task_freed_is_used_again_and_given_back_when_told() -> None:
    again, held, after = measured("kept")
    without, *_ = measured("given back")
    assert again < without / 5
    assert held - after > 50_000_000


def test_arrow_has_its_own_pool_again() -> None:
    before = pa.default_memory_pool().backend_name
    memory.keep(kept=True)
    kept = pa.default_memory_pool().backend_name
    memory.keep(kept=False)
    assert pa.default_memory_pool().backend_name == before
    assert kept == ("system" if memory._c_library() else before)
