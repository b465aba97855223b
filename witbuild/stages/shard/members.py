"""Samples as members of a tar, hashed as they are written: the whole, and each sample by itself."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from witbuild.sample.record import Place


class Hashed:
    """A stream that hashes what is written to it; without a stream below it, it only hashes.

    Example:
        >>> stream = Hashed(None)
        >>> _ = stream.write(b"one")
        >>> stream.cut() == stream.whole
        True
    """

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._whole = hashlib.sha256()
        self._piece = hashlib.sha256()
        self._stream = stream

    def write(self, content: bytes) -> int:
        """Hash the content and pass it on."""
        self._whole.update(content)
        self._piece.update(content)
        return self._stream.write(content) if self._stream else len(content)

    def cut(self) -> str:
        """Return the sha256 of what was written since the last cut, hex."""
        digest, self._piece = self._piece.hexdigest(), hashlib.sha256()
        return digest

    @property
    def whole(self) -> str:
        """The sha256 of all that was written, hex."""
        return self._whole.hexdigest()


def write_samples(stream: Hashed, samples: pa.Table, images: Sequence[bytes]) -> list[Place]:
    """Write a tar of samples, the members of each in the order of their names.

    Args:
        stream: to write to.
        samples: n rows with the columns key, image_format, record and caption of schema.SAMPLES.
        images: n.

    Returns:
        What each sample takes in the tar, n times: bytes, and their sha256.
    """
    from witbuild.io.tars import TarWriter
    from witbuild.sample.record import Place

    columns = (samples[name].to_pylist() for name in ("key", "image_format", "record", "caption"))
    places = []
    with TarWriter(stream) as tar:
        for image, key, extension, record, caption in zip(images, *columns, strict=True):
            start = tar.position
            content = {extension: image, "json": record.encode(), "txt": caption.encode()}
            for name in sorted(content):
                tar.add(f"{key}.{name}", content[name])
            places.append(Place(tar.position - start, stream.cut()))
    return places
