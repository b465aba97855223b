"""Pages of a library's code that were needed once, given back: a compiler that has compiled keeps 60 MB mapped."""

from __future__ import annotations

import ctypes
import mmap
import sys
from pathlib import Path


def unmap_code(library: str) -> int:
    """Give back the pages of a loaded library's code; what runs again is mapped again, from the file's cache.

    Code alone: nothing was ever written there, so nothing can be lost (madvise(2), MADV_DONTNEED). Linux only.

    Args:
        library: part of the file's name.

    Returns:
        The bytes that the code spans.
    """
    if sys.platform != "linux":
        return 0
    spans = list(_code(library))
    madvise = ctypes.CDLL(None).madvise
    for start, end in spans:
        madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
    return sum(end - start for start, end in spans)


def _code(library: str) -> list[tuple[int, int]]:
    """Return where the library's executable pages lie, which nobody may write to."""
    rows = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    found = [row[0].split("-") for row in rows if len(row) == 6 and row[1] == "r-xp" and library in Path(row[5]).name]
    return [(int(start, 16), int(end, 16)) for start, end in found]
