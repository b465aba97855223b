"""A body as served -> the stored image and its columns; the work of a decoding process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.stages.fetch.journal import Image

if TYPE_CHECKING:
    from witbuild.image.plan import Plan


@dataclass(frozen=True, slots=True)
class Make:
    """Make the stored image of a body; pure, so that any process may.

    Attributes:
        plan: what is to be made of it.
        md5: hash the body by MD5 too, which some lists carry.
    """

    plan: Plan
    md5: bool = False

    def __call__(self, body: bytes) -> tuple[Image, bytes]:
        """Return the image's columns and the bytes to store; ImageError when nothing can or may be stored."""
        from witbuild.image.prepare import prepare  # its numba and its decoders are for the decoding process alone

        stored = prepare(body, self.plan)
        image = Image(
            image_format=stored.extension,
            width=stored.width,
            height=stored.height,
            original_width=stored.original_width,
            original_height=stored.original_height,
            original_bytes=len(body),
            original_format=stored.original_format,
            original_sha256=hashlib.sha256(body).hexdigest(),
            original_md5=hashlib.md5(body, usedforsecurity=False).hexdigest() if self.md5 else "",
            pixel_sha256=stored.pixel_sha256,
            phash=stored.phash,
        )
        return image, stored.content
