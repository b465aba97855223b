"""The key of a pair: 128 bits that depend on its URL and caption alone."""

from __future__ import annotations

import hashlib


def pair_key(url: str, caption: str) -> str:
    """Return the key of a pair: blake2b-128 of the URL, a zero byte and the caption, in hex.

    Example:
        >>> pair_key("http://a.test/1.jpg", "a red square")
        'c5c0392e72ddadc79986e10c0aafb238'
    """
    return pair_digest(url, caption).hex()


def pair_digest(url: str, caption: str) -> bytes:
    """Return the key of a pair as its 16 bytes."""
    return hashlib.blake2b(f"{url}\0{caption}".encode(), digest_size=16).digest()
