"""One way from body to stored image, in a Python of its own: told on standard input what to do, answers in JSON.

python image_side.py img2dataset FOLDER       "time"  -> CPU seconds for all images of the folder
python image_side.py witbuild FOLDER          "save P" -> P: the images made, as 0.jpg, 1.jpg, ...
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

SIDE, QUALITY = 256, 90
Make = Callable[[bytes], bytes]


def img2dataset() -> Make:
    from img2dataset.resizer import Resizer

    resizer = Resizer(SIDE, "keep_ratio", resize_only_if_bigger=True, encode_quality=QUALITY)

    def make(body: bytes) -> bytes:
        made = resizer(io.BytesIO(body))
        if made[0] is None:
            raise ValueError(made[-1])
        return bytes(made[0])

    return make


def pillow() -> Make:
    from PIL import Image

    def make(body: bytes) -> bytes:
        stream = io.BytesIO()
        with Image.open(io.BytesIO(body)) as image:
            scale = SIDE / min(image.size)
            small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
            small.save(stream, "JPEG", quality=QUALITY)
        return stream.getvalue()

    return make


def witbuild() -> Make:
    from witbuild.image.prepare import Plan, prepare

    plan = Plan(size=SIDE, quality=QUALITY)
    return lambda body: prepare(body, plan).content


def library() -> Make:
    """Return witbuild's way with images that it leaves to the library, for all of them."""
    from witbuild.image import prepare
    from witbuild.image.jpeg.frame import UnusualError

    def leave(*_: object) -> None:
        raise UnusualError("left")

    for name in ("halved", "means"):
        setattr(prepare, name, leave)
    return witbuild()


SIDES = {"img2dataset": img2dataset, "pillow": pillow, "witbuild": witbuild, "library": library}


def main(name: str, folder: str) -> None:
    make = SIDES[name]()
    bodies = [path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"), key=lambda path: int(path.stem))]
    make(bodies[0])
    for line in sys.stdin:
        order, _, place = line.strip().partition(" ")
        start = time.process_time()
        made = [make(body) for body in bodies]
        seconds = time.process_time() - start
        if order == "save":
            for number, content in enumerate(made):
                (Path(place) / f"{number}.jpg").write_bytes(content)
        print(json.dumps({"seconds": seconds, "bytes": sum(map(len, made))}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
