"""Numbers and addresses as a person reads them."""

from __future__ import annotations

from urllib.parse import urlsplit


def size(count: int) -> str:
    """Return a number of bytes as a person reads it.

    Example:
        >>> [size(count) for count in (0, 999, 1500, 2_000_000, 3_400_000_000_000)]
        ['0 B', '999 B', '1.5 kB', '2.0 MB', '3.4 TB']
    """
    value, units = float(count), ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def duration(seconds: float) -> str:
    """Return a time as a person reads it.

    Example:
        >>> [duration(seconds) for seconds in (0.25, 12, 100, 7320)]
        ['0.2 s', '12.0 s', '1 min 40 s', '2 h 2 min']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def host(url: str) -> str:
    """Return the host of a URL, or nothing when it has none.

    Example:
        >>> host("https://a.test/x"), host("http://[broken")
        ('a.test', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
