"""What the columns of all tables are made of."""

from __future__ import annotations

import pyarrow as pa

KEY = pa.string()
"""A key: 32 lower-case hexadecimal digits, the 128-bit hash of (url, caption)."""


def column(name: str, kind: pa.DataType, comment: str, *, null: bool = False) -> pa.Field:
    """Return a field whose comment travels with it.

    Example:
        >>> column("key", KEY, "who").metadata
        {b'comment': b'who'}
    """
    return pa.field(name, kind, nullable=null, metadata={"comment": comment})
