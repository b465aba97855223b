"""Evaluation sets -> the hashes of their images and captions; nothing else of them is kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from witbuild.errors import InputError
from witbuild.stage import Inputs, Part, Stage, Task, digested

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from witbuild.dedup.evaluation import Collected

_IMAGES = ("jpg", "jpeg", "png", "webp", "gif")
_FILES_A_TASK = 2_000
_HEX = frozenset("0123456789abcdef")


class Reading(Stage):
    """What reading evaluation sets needs to know."""

    sets: tuple[str, ...] = digested(..., min_length=1)
    """Evaluation sets: folders of images with texts beside them, tars of samples, or lists of hashes (`.txt`)."""
    resize: Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"] = "keep_ratio"
    """How their images are fitted before they are hashed: as fetch fits those of the pairs."""
    size: int = Field(256, ge=1, le=32_767)
    """Pixels of the side that `resize` speaks of."""

    def check(self) -> None:
        """Raise when a set is not there."""
        from witbuild.io import store

        for path in self.sets:
            if not store.expand(path):
                raise InputError(f"{path}: no such evaluation set (stage decontaminate, `sets`)")


class Read(Reading):
    """Read evaluation sets into hashes."""

    name: ClassVar[str] = "decontaminate.read"
    output: ClassVar[str] = "evaluation"

    def table_schema(self) -> pa.Schema:
        """Return set and hashes: of an image, or of a caption."""
        from witbuild.dedup.evaluation import EVALUATION

        return EVALUATION

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each tar or list, and for each so many files of a folder."""
        index = 0
        for number, path in enumerate(self.sets):
            for files in _groups(path):
                yield Task(index, {"files": files}, {"set": number})
                index += 1

    def process(self, task: Task) -> Part:
        """Hash the images and captions of a task."""
        from witbuild.dedup.evaluation import Collected

        out = Collected(set_name(self.sets[task.arguments["set"]]))
        dropped: Counter[str] = Counter()
        for path in task.sources["files"]:
            if path.endswith(".txt") and len(task.sources["files"]) == 1 and path == self.sets[task.arguments["set"]]:
                _listed(path, out)
                continue
            for extension, content in _members(path):
                self._add(extension, content, out, dropped)
        return Part(out.table(), dropped)

    def _add(self, extension: str, content: bytes, out: Collected, dropped: Counter[str]) -> None:
        from witbuild.image.failure import ImageError
        from witbuild.image.prepare import Plan, prepare

        if extension == "txt":
            out.caption(content.decode("utf-8", "replace"))
            return
        try:
            out.image(prepare(content, Plan(mode=self.resize, size=self.size)).phash)
        except ImageError as error:
            dropped[error.reason] += 1


def set_name(path: str) -> str:
    """Return what a set is called: the last name of its path, without an extension, in snake case.

    Example:
        >>> set_name("/data/ImageNet-V2/"), set_name("cifar10.tar")
        ('imagenet_v2', 'cifar10')
    """
    last = path.rstrip("/").rsplit("/", 1)[-1]
    return "".join(letter if letter.isalnum() else "_" for letter in last.partition(".")[0].lower())


def _groups(path: str) -> Iterator[tuple[str, ...]]:
    """Yield the files of each task of a set."""
    from witbuild.io import store

    found = [one for one in store.expand(path) if one == path or _extension(one) in (*_IMAGES, "txt", "tar")]
    if not found:
        raise InputError(f"{path}: no images, texts, tars or list of hashes; expected an evaluation set")
    tars = [one for one in found if one.endswith(".tar")]
    yield from ((one,) for one in tars)
    files = [one for one in found if not one.endswith(".tar")]
    yield from (tuple(files[start : start + _FILES_A_TASK]) for start in range(0, len(files), _FILES_A_TASK))


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield (extension, content) of each image and text of a file or tar."""
    from witbuild.io import store, tars

    if not path.endswith(".tar"):
        yield _extension(path), store.read_bytes(path)
        return
    for member in tars.members(path):
        if _extension(member.name) in (*_IMAGES, "txt"):
            yield _extension(member.name), tars.read(path, member.extent)


def _listed(path: str, out: Collected) -> None:
    """Read a list: a perceptual hash of 16 hexadecimal digits, or `caption` and a text, a line.

    Raises:
        InputError: a line is neither; names file and line.
    """
    from witbuild.io import store

    for number, line in enumerate(store.read_bytes(path).decode("utf-8", "replace").splitlines(), 1):
        text = line.strip()
        if text.startswith("caption "):
            out.caption(text.removeprefix("caption "))
        elif len(text) == 16 and set(text.lower()) <= _HEX:
            out.image(int(text, 16))
        elif text and not text.startswith("#"):
            raise InputError(f"{path}:{number}: found {text[:60]!r}, expected 16 hexadecimal digits or `caption TEXT`")
