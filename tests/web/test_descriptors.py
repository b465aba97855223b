"""Connections that are kept: so many at most, the ones used last, and no more files than the machine allows."""

from __future__ import annotations

import resource
import socket

import pytest

from witbuild.errors import RecipeError
from witbuild.web.descriptors import Kept, room


def limits(monkeypatch: pytest.MonkeyPatch, limit: tuple[int, int]) -> list[tuple[int, int]]:
    """Pretend that these are this process's limits; return what is set."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limit)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: told.append(both))
    return told


@pytest.mark.parametrize(
    ("limit", "connections", "kept", "now"),
    [
        ((1_024, 1_048_576), 256, 512, []),
        ((1_024, 1_048_576), 10_000, 20_000, [(30_200, 1_048_576)]),
        ((1_024, 20_000), 10_000, 9_800, [(20_000, 20_000)]),
        ((256, resource.RLIM_INFINITY), 256, 512, [(968, resource.RLIM_INFINITY)]),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 10_000, 20_000, []),
        ((512, 512), 256, 56, [(512, 512)]),
    ],
)
def test_the_limit_is_raised_as_far_as_need_be_and_may_be(
    limit: tuple[int, int], connections: int, kept: int, now: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = limits(monkeypatch, limit)
    assert room(connections) == kept
    assert told == now


def test_more_connections_than_files_are_refused_with_the_number_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, (1_024, 4_096))
    with pytest.raises(RecipeError, match=r"found 10000, .* 4096 open files .* at most 3896"):
        room(10_000)


def pair(kept: Kept) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return kept.opened(ours), theirs


def ended(theirs: socket.socket) -> bool:
    try:
        return theirs.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def test_those_of_the_host_asked_longest_ago_are_closed() -> None:
    kept, ends = Kept(2), {}
    for host in "abc":
        with kept.asking(host):
            ends[host] = pair(kept)
        if host == "b":
            with kept.asking("a"):  # so b is the oldest
                pass
    assert {host: ended(theirs) for host, (_, theirs) in ends.items()} == {"a": False, "b": True, "c": False}
    assert kept.count == 2
    _close(ends)


def test_those_in_use_are_left_alone_and_count_afterwards() -> None:
    kept = Kept(0)
    with kept.asking("a"):
        with kept.asking("a"):
            ends = {"a": pair(kept)}
        assert not ended(ends["a"][1])
    assert ended(ends["a"][1])
    assert kept.count == 0
    _close(ends)


def test_those_that_are_closed_already_do_not_count() -> None:
    kept = Kept(1)
    with kept.asking("a"):
        for _ in range(5):
            ours, theirs = pair(kept)
            ours.close()
            theirs.close()
        ends = {"a": pair(kept)}
    assert kept.count == 1
    assert not ended(ends["a"][1])
    _close(ends)


def _close(ends: dict[str, tuple[socket.socket, socket.socket]]) -> None:
    for both in ends.values():
        for one in both:
            one.close()
