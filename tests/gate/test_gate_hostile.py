"""Every hostile image through the decoder guard ends as before; run as a script, this file writes the ends anew.

No process dies, none takes more than its limits (30 CPU seconds, 1.5 GB), and what was decodable stays so.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.planted_decoders import Asked
from witbuild.image.failure import REASONS, ImageError
from witbuild.image.prepare import Plan
from witbuild.stages.fetch import quarantine
from witbuild.stages.fetch.decoding import Limits
from witbuild.stages.fetch.make import Make

ENDS = Path(__file__).with_name("hostile_images.json")
FOLDERS = ("exif/", "images/")


def end(decoders: Asked, body: bytes) -> str:
    try:
        image, _ = decoders.ask(body)
    except ImageError as error:
        return error.reason
    return f"{image.original_format} {image.original_width}x{image.original_height}"


def ends(bodies: Mapping[str, bytes]) -> dict[str, str]:
    """Return how each image ends: format and size, or the reason of its drop."""
    with Asked(Make(Plan(avif=True)), 1, Limits()) as decoders:
        return {name: end(decoders, bodies[name]) for name in sorted(bodies) if name.startswith(FOLDERS)}


def test_every_hostile_image_ends_as_before(shared_hostile: dict[str, bytes]) -> None:
    assert ends(shared_hostile) == json.loads(ENDS.read_text())


def test_no_hostile_image_breaks_its_decoder() -> None:
    told = json.loads(ENDS.read_text())
    dropped = {name: reason for name, reason in told.items() if " " not in reason}
    assert set(dropped.values()) <= set(REASONS) - quarantine.REASONS
    assert len(told) >= 131
    assert len(told) - len(dropped) >= 18


def main(archive: str) -> None:
    with tarfile.open(archive) as files:
        bodies = {one.name: stream.read() for one in files if one.isfile() and (stream := files.extractfile(one))}
    ENDS.write_text(json.dumps(ends(bodies), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
