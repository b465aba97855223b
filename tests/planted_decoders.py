"""A decoder that does to its process what a body tells it to; processes of tests import it from here."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from witbuild.image.failure import ImageError
from witbuild.stages.fetch.decoders import Decoders
from witbuild.stages.fetch.decoding import Limits, Making
from witbuild.stages.fetch.download import Download
from witbuild.stages.fetch.journal import Image
from witbuild.stages.fetch.make import Make

KEPT: list[bytearray] = []


def crash() -> None:
    ctypes.string_at(0)


def loop() -> None:
    """Never end, and never let go of the interpreter's lock either."""
    sum(itertools.repeat(0))


def sleep() -> None:
    time.sleep(3_600)


def eat() -> None:
    while True:
        KEPT.append(bytearray(10_000_000))


def leave() -> None:
    os._exit(3)


def refuse() -> None:
    raise ImageError("image_broken", "as told")


def mumble() -> None:
    raise ImageError("image_broken", "half a character: \ud83d")


FATES: dict[bytes, Callable[[], None]] = {
    b"crash": crash, b"loop": loop, b"sleep": sleep, b"eat": eat, b"leave": leave, b"refuse": refuse,
    b"mumble": mumble,
}  # fmt: skip
PLAIN = Image(
    image_format="jpg", width=1, height=2, original_width=3, original_height=4, original_bytes=5, original_format="png",
    original_sha256="a" * 64, original_md5="", pixel_sha256="b" * 64, phash=2**64 - 1,
)  # fmt: skip


def obey(body: bytes) -> tuple[Image, bytes]:
    """Meet the fate that the body names; else give the process's number and the body."""
    FATES.get(body, lambda: None)()
    return PLAIN, b"%d " % os.getpid() + body


class Asked:
    """Decoders for who has no event loop; a context manager."""

    def __init__(self, make: Making, processes: int, limits: Limits) -> None:
        self.decoders = Decoders(make, processes, limits)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.run(self.decoders.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self.decoders.__aexit__(None, None, None))
        self._runner.close()

    def ask(self, body: bytes) -> tuple[Image, bytes]:
        return self._runner.run(self.decoders(body))

    def all(self, bodies: Iterable[bytes]) -> list[tuple[Image, bytes] | ImageError]:
        """Ask for all at once."""

        async def one(body: bytes) -> tuple[Image, bytes] | ImageError:
            try:
                return await self.decoders(body)
            except ImageError as error:
                return error

        async def together() -> list[tuple[Image, bytes] | ImageError]:
            return await asyncio.gather(*map(one, bodies))

        return self._runner.run(together())


class Obeying:
    """Makes images as fetch does, but for bodies that are a fate."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def __call__(self, body: bytes) -> tuple[Image, bytes]:
        FATES.get(body, lambda: None)()
        return self.make(body)


class Planted(Download):
    """A download whose decoder obeys."""

    def make(self) -> Make:
        return Obeying(super().make())  # type: ignore[return-value]


def main(path: str) -> None:
    """Write down the decoding process's number, then loop in it."""
    with Asked(obey, 1, Limits(seconds=2.0)) as decoders:
        _, answer = decoders.ask(b"who")
        Path(path).write_bytes(answer)
        decoders.ask(b"loop")
