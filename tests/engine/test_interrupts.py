"""An interrupt never comes between asking for a worker and having it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import pytest

from witbuild.engine.interrupts import put_off
from witbuild.engine.local import LocalEngine


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Interrupts are heard, also where the tests run in the background, which ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_until_a_task_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[Future[int]] = []
    submit = ProcessPoolExecutor.submit

    def interrupted(self: ProcessPoolExecutor, *arguments: Any) -> Future[int]:
        signal.raise_signal(signal.SIGINT)
        handed_over.append(submit(self, *arguments))
        return handed_over[-1]

    monkeypatch.setattr(ProcessPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt), LocalEngine(workers=2) as engine:
        list(engine.map(abs, [-1, -2, -3]))
    assert len(handed_over) == 1


def test_handlers_are_what_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with put_off():
        pass
    with pytest.raises(ValueError, match="inside"), put_off():
        raise ValueError("inside")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def interrupt_and_fail() -> None:
    with put_off():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("inside")


def test_an_interrupt_is_not_lost_to_an_error() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt_and_fail()


def test_other_threads_are_left_alone() -> None:
    said = []

    def work() -> None:
        with put_off():
            said.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == [signal.getsignal(signal.SIGINT)]
