"""Why a body became no stored image: one word a cause."""

from __future__ import annotations

import struct
import zlib

from witbuild.errors import WitbuildError

REASONS = {
    "not_an_image": "no JPEG, PNG, WebP or GIF (or AVIF, where asked for) by its first bytes",
    "image_broken": "no pixels can be had from it",
    "image_truncated": "it ends before its pixels do",
    "image_too_large": "more pixels, longer sides or more progressive scans than are decoded",
    "image_memory": "its pixels need more memory than there is",
    "opt_out_image": "its own metadata forbids data mining or training (PLUS, TDM reservation)",
    "image_timeout": "its decoder took longer than `decode_seconds` and was stopped",
    "image_crash": "its decoder died of it",
    "image_too_small": "a side shorter than asked for",
    "image_aspect": "longer in one direction than asked for",
}
"""Every reason that image processing gives -> what it means."""

FOREIGN = (
    OSError,
    ValueError,
    MemoryError,
    SyntaxError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    Warning,
    struct.error,
    zlib.error,
)
"""What decoders raise on hostile input; UnidentifiedImageError is an OSError, bomb errors are caught by name."""


class ImageError(WitbuildError):
    """A body became no stored image.

    Attributes:
        reason: a key of REASONS.
        detail: what happened in words.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def foreign(error: BaseException) -> ImageError:
    """Return the ImageError that a decoder's exception means.

    Example:
        >>> foreign(OSError("image file is truncated (3 bytes not processed)")).reason
        'image_truncated'
        >>> foreign(MemoryError()).reason
        'image_memory'
    """
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError):
        return ImageError("image_memory")
    if "Bomb" in type(error).__name__:
        return ImageError("image_too_large", "the decoder takes it for a bomb")
    words = " ".join(str(error).split())[:200].split(" at 0x")[0]  # an object's place in memory is no news
    truncated = isinstance(error, EOFError) or any(word in words.lower() for word in ("truncated", "premature end"))
    return ImageError("image_truncated" if truncated else "image_broken", f"{type(error).__name__}: {words}")
