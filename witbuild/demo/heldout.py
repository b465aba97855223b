"""What the demo's model is evaluated on: pictures of combinations that the crawled web lacks, as a labelled tar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.demo.dice import Dice
from witbuild.demo.grammar import held_out, held_out_scene
from witbuild.demo.paint import jpeg
from witbuild.demo.web import Picture
from witbuild.io import store
from witbuild.io.tars import TarWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

A_CLASS = 12
"""Pictures of each combination."""
TEMPLATES = ("a {} on a white background", "a picture of a {} on a silver background", "a {} on a cream background")
_LIGHTS = 2_000_000_000
"""From here on, so that no light of the web falls on them."""


def write(folder: str, seed: int) -> dict[str, str]:
    """Write the tar, the classes and the prompts into a folder; return them by their names as parameters of `eval`.

    Example:
        >>> import tempfile
        >>> sorted(write(tempfile.mkdtemp(), 0))
        ['classes', 'data', 'templates']
    """
    paths = {"data": "held-out.tar", "classes": "classes.txt", "templates": "templates.txt"}
    paths = {kind: store.join(folder, name) for kind, name in paths.items()}
    with store.commit(paths["data"]) as local, local.open("wb") as stream, TarWriter(stream) as tar:
        for name, content in _members(seed):
            tar.add(name, content)
    store.commit_bytes(paths["classes"], "".join(f"{name}\n" for name in class_names(seed)).encode())
    store.commit_bytes(paths["templates"], "".join(f"{text}\n" for text in TEMPLATES).encode())
    return paths


def class_names(seed: int) -> list[str]:
    """Return the names of the classes, such as `red ring`."""
    return [f"{colour} {shape}" for colour, shape in held_out(seed)]


def _members(seed: int) -> Iterator[tuple[str, bytes]]:
    for number, (colour, shape) in enumerate(held_out(seed)):
        for copy in range(A_CLASS):
            place = number * A_CLASS + copy
            scene = held_out_scene(Dice(seed, "held out", place), colour, shape)
            yield f"{place:06d}.cls", str(number).encode()
            yield f"{place:06d}.jpg", jpeg(Picture(scene=scene, light=_LIGHTS + place))
