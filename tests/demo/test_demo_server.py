"""The server: what each address answers, and its end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from witbuild.demo import web
from witbuild.demo.serving import Serving
from witbuild.demo.web import Answer
from witbuild.demo.world import World, build
from witbuild.image.failure import ImageError
from witbuild.image.prepare import Plan, prepare

SIZE = 40


@pytest.fixture(scope="module")
def world() -> World:
    return build(0, SIZE)


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with Serving(0, SIZE) as running:
        yield running


class Got(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def get(server: Serving, url: str) -> Got:
    _, _, host, path = url.split("/", 3)
    address, _, port = server.resolve.get(host, server.resolve[web.GALLERY]).partition(":")
    with closing(http.client.HTTPConnection(address, int(port), timeout=30)) as connection:
        connection.request("GET", f"/{path}", headers={"Host": host})
        answer = connection.getresponse()
        return Got(answer.status, answer.headers, answer.read())


def one(world: World, **wanted: object) -> str:
    """The URL of an image that answers so."""
    plain = {"status": 200, "fault": "", "opt_out": ""}
    return next(
        url
        for url, answer in world.answers.items()
        if all(getattr(answer, name) == value for name, value in (plain | wanted).items())
    )


def test_a_picture_is_served(server: Serving, world: World) -> None:
    answer = get(server, one(world))
    stored = prepare(answer.body, Plan(size=64))
    assert (answer.status, answer.headers["Content-Type"], stored.width) == (200, "image/jpeg", 64)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("truncated", "image_truncated"),
        ("html", "not_an_image"),
        ("empty", "not_an_image"),
        ("bomb", "image_too_large"),
    ],
)
def test_a_broken_picture_is_served(server: Serving, world: World, fault: str, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        prepare(get(server, one(world, fault=fault)).body, Plan(max_pixels=4_000_000))
    assert caught.value.reason == reason


@pytest.mark.parametrize("status", [404, 410])
def test_a_dead_link_is_dead(server: Serving, world: World, status: int) -> None:
    assert get(server, one(world, status=status)).status == status


def test_an_opt_out_is_sent(server: Serving, world: World) -> None:
    assert get(server, one(world, opt_out="noai, noimageai")).headers["X-Robots-Tag"] == "noai, noimageai"


def test_another_spelling_of_an_address_answers_the_same(server: Serving, world: World) -> None:
    url = one(world)
    assert get(server, url.replace(".jpg", "%2Ejpg")).body == get(server, url).body


def test_a_slow_picture_never_comes() -> None:
    from witbuild.demo.server import image

    assert image(Answer(fault="slow")) is None


def test_nothing_listens_on_the_closed_port(server: Serving) -> None:
    address, _, port = server.resolve[web.REFUSED].partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)), timeout=60)


def test_what_was_asked_is_counted(server: Serving) -> None:
    url = f"http://{web.GALLERY}/{web.DISALLOWED}/asked-here.html"
    get(server, url)
    get(server, url)
    assert server.asked()[url] == 2


def test_the_server_dies_with_its_parent() -> None:
    """A shell starts it and is killed; nobody tells the server."""
    command = [sys.executable, "-c", f"from tests.demo_parent import main; main({SIZE})"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert parent.stdout
    with parent.stdout as stream:
        server = int(stream.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and _lives(server):
        time.sleep(0.05)
    assert not _lives(server)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
