"""What a decoding process does: bodies in, answers out, each within limits that the kernel keeps.

The timer of CPU seconds cannot be held off by any decoder, nor can the bound on memory. An answer is JSON and bytes.
"""

from __future__ import annotations

import importlib
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from witbuild.image.failure import ImageError
from witbuild.stages.fetch.journal import Image

Making = Callable[[bytes], tuple[Image, bytes]]
WARM = "witbuild.stages.fetch.warm"
ANSWER = struct.Struct("<2I")
"""What stands before an answer: the lengths of its JSON and of the image."""
_PATIENCE = 10
"""Seconds by the clock for each CPU second that is allowed: a decoder that sleeps is ended too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a body may cost.

    Attributes:
        seconds: CPU seconds.
        memory_bytes: that its process may allocate, on top of what it has when it starts (Linux).
    """

    seconds: float = 30.0
    memory_bytes: int = 1_500_000_000


def send(line: socket.socket, *pieces: bytes) -> None:
    """Send pieces of bytes, their lengths before them."""
    message = [struct.pack(f"<{len(pieces)}I", *map(len, pieces)), *pieces]
    sent = line.sendmsg(message)
    if sent < sum(map(len, message)):  # a signal came in between
        line.sendall(b"".join(message)[sent:])


def receive(line: socket.socket, pieces: int) -> list[bytes]:
    """Receive what `send` sent; EOFError when the other end is gone."""
    lengths = struct.unpack(f"<{pieces}I", _exactly(line, 4 * pieces))
    return [_exactly(line, length) for length in lengths]


def _exactly(line: socket.socket, length: int) -> bytes:
    found = line.recv(length, socket.MSG_WAITALL) if length else b""
    if len(found) != length:
        raise EOFError("the line was cut")
    return found


def serve(line: socket.socket, make: Making, limits: Limits) -> None:
    """Answer bodies until the line ends."""
    importlib.import_module(WARM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _bound_memory(limits.memory_bytes)
    try:
        send(line, b"ready")
        while True:
            (body,) = receive(line, 1)
            _arm(limits.seconds)
            answer = _answer(make, body)
            _arm(0)
            send(line, *answer)
    except (EOFError, OSError):
        return


def _answer(make: Making, body: bytes) -> tuple[bytes, bytes]:
    try:
        image, content = make(body)
    except ImageError as error:
        return _refusal(error), b""
    except MemoryError:
        return _refusal(ImageError("image_memory")), b""
    return orjson.dumps(image), content


def _refusal(error: ImageError) -> bytes:
    """Return why there is no image; a decoder's words may hold halves of characters, which JSON may not."""
    return orjson.dumps({"reason": error.reason, "detail": error.detail.encode("utf-8", "replace").decode()})


def _arm(seconds: float) -> None:
    """Have the kernel end this process after so many CPU seconds; 0: not."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)


def _bound_memory(more: int) -> None:
    """Bound what this process may allocate; on Linux only, where private memory can be bounded and asked for."""
    if sys.platform != "linux":
        return
    import resource
    from pathlib import Path

    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
