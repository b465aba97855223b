"""What a process does with memory that it freed: keeps it for the next task, or gives it back to the system.

Tasks over columns take and free the same hundred megabytes again and again. Memory that was given back has to be
mapped and zeroed anew, page by page: a tenth of the CPU of dedup. A process that keeps it holds what its largest task
took. That is the C library's business (mallopt(3)), which Arrow has to be told to use; where there is no glibc nothing
changes.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Of glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX."""
_NEVER = -1
_AS_AT_FIRST = {_MMAP_MAX: 1 << 16, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}
"""What glibc comes to by itself in a process that has freed large blocks."""
_state = {"kept": False}


def keep(*, kept: bool) -> None:
    """Let this process keep the memory that it frees from now on, or give it all back; cheap when nothing changes.

    Example:
        >>> keep(kept=True)
        >>> keep(kept=False)
    """
    if _state["kept"] == kept:
        return
    _state["kept"] = kept
    library, first = _c_library(), _arrows_own()
    if library is None:
        return
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool() if kept else first)
    for option, value in ({_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER} if kept else _AS_AT_FIRST).items():
        library.mallopt(option, value)
    if not kept:
        library.malloc_trim(0)


@lru_cache(maxsize=1)
def _c_library() -> Any:
    """Return the C library when it is one with these functions."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


@lru_cache(maxsize=1)
def _arrows_own() -> pa.MemoryPool:
    """Return the pool that Arrow had when it was first asked for."""
    import pyarrow as pa

    return pa.default_memory_pool()
