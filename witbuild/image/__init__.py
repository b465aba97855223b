"""Pure images: decode, resize, encode, hash; no I/O."""
