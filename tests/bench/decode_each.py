"""Decode each file of a folder by itself, in a process that is forked for it; how each ends, in JSON.

python decode_each.py img2dataset|pillow|witbuild FOLDER
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SECONDS = 30
Decode = Callable[[bytes], object]


def img2dataset() -> Decode:
    from img2dataset.resizer import Resizer

    resizer = Resizer(256, "keep_ratio", resize_only_if_bigger=True, encode_quality=90)
    return lambda body: resizer(io.BytesIO(body))[0]


def pillow() -> Decode:
    from PIL import Image, ImageFile

    def decode(body: bytes) -> object:
        try:
            with Image.open(io.BytesIO(body)) as image:
                return image.convert("RGB").resize((256, 256))
        except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, RuntimeError, MemoryError):
            return None
        except Image.DecompressionBombError:
            return None

    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    return decode


def witbuild() -> Decode:
    from witbuild.image.failure import ImageError
    from witbuild.image.prepare import Plan, prepare

    def decode(body: bytes) -> object:
        try:
            return prepare(body, Plan(avif=True))
        except ImageError:
            return None

    return decode


def end(decode: Decode, body: bytes) -> tuple[str, float, int]:
    """Return how a decode ends, its CPU seconds and its process's most bytes."""
    child = os.fork()
    if not child:
        for number in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        os._exit(0 if decode(body) is not None else 1)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    told = {0: "stored", 1: "refused", -signal.SIGPROF: "stopped after 30 s"}
    return told.get(code, "crashed"), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main(name: str, folder: str) -> None:
    decode = {"img2dataset": img2dataset, "pillow": pillow, "witbuild": witbuild}[name]()
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    decode(paths[0].read_bytes())
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    ends = {path.name: end(decode, path.read_bytes()) for path in paths}
    print(json.dumps({name: [told, seconds, max(0, most - own)] for name, (told, seconds, most) in ends.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
