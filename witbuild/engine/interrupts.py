"""Interrupts put off while something is done that must not be left half way."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PUT_OFF: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def put_off() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the end of the block; in another thread than the main one nothing changes.

    Example:
        >>> done = []
        >>> before = signal.signal(signal.SIGINT, lambda *_: done.append("the interrupt"))
        >>> with put_off():
        ...     signal.raise_signal(signal.SIGINT)
        ...     done.append("the rest")
        >>> done
        ['the rest', 'the interrupt']
        >>> _ = signal.signal(signal.SIGINT, before)
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python runs handlers in the main thread alone
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _PUT_OFF}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for missed in came:
            signal.raise_signal(missed)
