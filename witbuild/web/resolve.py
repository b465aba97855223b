"""References to URLs by a compiled loop over bytes: the usual forms; for the others `witbuild.web.urls` is to be asked.

usual   `http://a.test/x`, `//a.test/x`, `/x`, `x`, `../x`, `?x`, `#x`, with spaces, quotes and letters of any script in
        path, query and fragment, which are escaped; hosts of ASCII letters, digits, `-`, `_` and `.`
none    another scheme, such as `data:` and `javascript:`
rare    credentials, ports of five digits or none, international and numeric hosts, backslashes, control characters,
        white space at an end, `%2e`, `^`, a scheme without its slashes, results that may have over 4,096 characters

For many references on one page, from Python:

    base = Base.of("http://a.test/dir/page.html")          None: not a normal URL; ask urls.Base for all
    out, ends, flags = base.resolve_all(data, offsets)      uint8, int64 (n + 1,), int8 (n,)

and from a compiled loop, which may have the bases in a buffer as well:

    end = resolve_into(data, start, stop, base, parts, out, place)      NONE, RARE, or where the URL ends in `out`

of which the arrays are pointers (`witbuild.web.markup.pointer`), `base` is a URL as `resolve_into` writes it, `parts`
is what `parts_of` says of it, and `out` has MAX_CHARACTERS bytes of room from `place` on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.text.kernels import copied, inner, kernel
from witbuild.web.markup import pointer
from witbuild.web.urls import MAX_CHARACTERS

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]

NONE: Final = -1
"""The reference means no http or https URL."""
RARE: Final = -2
"""The reference may mean one: ask witbuild.web.urls."""
_PATH, _QUERY, _FRAGMENT, _ODD, _HOST, _SCHEME, _UPPER = (1 << bit for bit in range(7))
ROOT, DIRECTORY, PATH_END, SIZE = range(4)
"""Of a base's parts: where its path begins, where the last segment begins, where path and query end."""
_SLASH, _QUESTION, _HASH, _COLON, _DOT, _PERCENT, _SPACE, _ZERO, _NINE, _HYPHEN = (ord(char) for char in "/?#:.% 09-")
_X, _N, _E, _TWO = (ord(char) for char in "xne2")
_MOST_PORT_DIGITS: Final = 4
_MOST_HOST_CHARACTERS: Final = 253
_HEX: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_HTTPS: Final = np.frombuffer(b"https", np.uint8)


def _kinds() -> Bytes:
    """Return what each byte is: where it must be escaped, that it is odd, that it may stand in a host or a scheme."""
    kinds = np.zeros(256, np.uint8)
    kinds[0x80:] = _PATH | _QUERY | _FRAGMENT
    for where, characters in ((_PATH, ' "<>`{}'), (_QUERY, " \"<>'"), (_FRAGMENT, ' "<>`')):
        kinds[list(characters.encode())] |= where
    kinds[[*range(0x20), 0x7F, *b"\\^"]] |= _ODD
    small, large, digits = bytes(range(97, 123)), bytes(range(65, 91)), b"0123456789"
    kinds[list(small + large + digits + b"-._")] |= _HOST
    kinds[list(small + large + digits + b"+-.")] |= _SCHEME
    kinds[list(large)] |= _UPPER
    return kinds


_KINDS: Final = _kinds()


class Base(NamedTuple):
    """A page's normal URL and its parts.

    Attributes:
        url: uint8 of shape (n,), ASCII.
        parts: int64 of shape (4,), see `parts_of`.
    """

    url: Bytes
    parts: Ints

    @classmethod
    def of(cls, url: str) -> Base | None:
        """Return the base for a URL in the form that `witbuild.web.urls` writes; None where it is none.

        Example:
            >>> Base.of("http://a.test/b/c?d").parts.tolist(), Base.of("mailto:a@b.test")
            ([13, 16, 17, 19], None)
        """
        if not url.startswith(("http://", "https://")) or not url.isascii() or len(url) > MAX_CHARACTERS:
            return None
        data, parts = np.frombuffer(url.encode(), np.uint8), np.empty(SIZE + 1, np.int64)
        _parts(data, parts)
        return cls(data, parts)

    def resolve_all(self, data: Bytes, offsets: Ints) -> tuple[Bytes, Ints, npt.NDArray[np.int8]]:
        """Return the URLs that references mean.

        Args:
            data: uint8, valid UTF-8: the references, one after the other.
            offsets: int64 of shape (n + 1,): where each begins, and the last ends.

        Returns:
            uint8: the URLs, one after the other; int64 of shape (n + 1,): where each begins; int8 of shape (n,): 0,
            NONE or RARE; those two have no bytes.

        Example:
            >>> base, data = Base.of("http://a.test/b/"), np.frombuffer(b"../x ydata:,http:x", np.uint8)
            >>> out, ends, flags = base.resolve_all(data, np.array([0, 6, 12, 18]))
            >>> bytes(out), ends.tolist(), flags.tolist()
            (b'http://a.test/x%20y', [0, 19, 19, 19], [0, -1, -2])
        """
        count = len(offsets) - 1
        out = np.empty(count * self.parts[SIZE] + 3 * len(data) + MAX_CHARACTERS, np.uint8)
        ends, flags = np.zeros(count + 1, np.int64), np.zeros(count, np.int8)
        _resolve_all(data, offsets, self.url, self.parts, out, ends, flags)
        return out[: ends[-1]], ends, flags


@kernel
def _parts(data: Bytes, parts: Ints) -> None:
    parts_of(pointer(data), data.size, pointer(parts))


@kernel
def _resolve_all(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: Bytes, offsets: Ints, base: Bytes, parts: Ints, out: Bytes, ends: Ints, flags: npt.NDArray[np.int8]
) -> None:
    for row in range(len(flags)):
        place = ends[row]
        end = resolve_into(
            pointer(data), offsets[row], offsets[row + 1], pointer(base), pointer(parts), pointer(out), place
        )
        flags[row] = min(end, 0)
        ends[row + 1] = max(end, place)


@inner
def parts_of(url: Bytes, size: int, parts: Ints) -> None:
    """Write where the parts of a normal http or https URL lie: int64 of shape (4,)."""
    place = 8  # one of "http://a", "https://"
    while place < size and url[place] != _SLASH:
        place += 1
    parts[ROOT], parts[DIRECTORY] = place, place + 1
    while place < size and url[place] not in (_QUESTION, _HASH):
        place += 1
        if url[place - 1] == _SLASH:
            parts[DIRECTORY] = place
    parts[PATH_END] = place
    while place < size and url[place] != _HASH:
        place += 1
    parts[SIZE] = place


@inner
def resolve_into(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: Bytes, start: int, stop: int, base: Bytes, parts: Ints, out: Bytes, at: int
) -> int:
    """Write the URL that a reference means; return where it ends in `out`, NONE or RARE; see the module."""
    if _end_of_scheme(data, start, stop) < 0:
        return _relative(data, start, stop, base, parts, out, at)
    return absolute_into(data, start, stop, out, at)


@inner
def absolute_into(data: Bytes, start: int, stop: int, out: Bytes, at: int) -> int:
    """Write an absolute URL; return where it ends in `out`, NONE or RARE."""
    colon = _end_of_scheme(data, start, stop)
    if colon < 0:
        return NONE
    secure = _web_scheme(data, start, colon)
    if secure < 0:
        return secure
    if not _slashes(data, colon + 1, stop) or 3 * (stop - start) + 1 > MAX_CHARACTERS:
        return RARE
    root = copied(data, start, colon + 3, out, at)
    return _after_slashes(data, colon + 3, stop, secure, out, root)


@inner
def _end_of_scheme(data: Bytes, start: int, stop: int) -> int:
    """Return where the colon stands that ends a scheme; -1: there is none."""
    place = start
    while place < stop and _KINDS[data[place]] & _SCHEME != 0:
        place += 1
    named = start < place < stop and data[place] == _COLON and 97 <= data[start] | 32 <= 122
    return place if named else -1


@inner
def _web_scheme(data: Bytes, start: int, stop: int) -> int:
    """Return 0 for `http`, 1 for `https`, NONE for another scheme, RARE for a web scheme in capitals."""
    size = stop - start
    if not 4 <= size <= 5:
        return NONE
    same, folded = True, True
    for place in range(size):
        byte, wanted = data[start + place], _HTTPS[place]
        same &= byte == wanted
        folded &= byte | 32 == wanted
    if same:
        return size - 4
    return RARE if folded else NONE


@inner
def _slashes(data: Bytes, place: int, stop: int) -> bool:
    return place + 1 < stop and data[place] == _SLASH and data[place + 1] == _SLASH


@inner
def _relative(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: Bytes, start: int, stop: int, base: Bytes, parts: Ints, out: Bytes, at: int
) -> int:
    size = parts[SIZE]
    if start == stop:
        return copied(base, 0, size, out, at)
    if 3 * (stop - start) + size + 1 > MAX_CHARACTERS or data[start] <= _SPACE or data[stop - 1] <= _SPACE:
        return RARE
    if _slashes(data, start, stop):
        secure = int(base[4] != _COLON)
        place = copied(base, 0, 7 + secure, out, at)
        return _after_slashes(data, start + 2, stop, secure, out, place)
    if data[start] in (_HASH, _QUESTION):
        kept = size if data[start] == _HASH else parts[PATH_END]
        return _rest(data, start, stop, out, copied(base, 0, kept, out, at))
    rooted = data[start] == _SLASH
    place = copied(base, 0, parts[ROOT] + 1 if rooted else parts[DIRECTORY], out, at)
    return _path(data, start + rooted, stop, out, at + parts[ROOT], place)


@inner
def _after_slashes(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: Bytes, start: int, stop: int, secure: int, out: Bytes, at: int
) -> int:
    """Write host, port, path, query and fragment."""
    place = _end_of_host(data, start, stop)
    if place < 0 or data[stop - 1] <= _SPACE:
        return RARE
    for i in range(start, place):
        byte = data[i]
        out[at] = byte | 32 if _KINDS[byte] & _UPPER != 0 else byte
        at += 1
    if place < stop and data[place] == _COLON:
        end, default = _end_of_port(data, place + 1, stop, secure)
        if end < 0:
            return RARE
        at = at if default else copied(data, place, end, out, at)
        place = end
    out[at] = _SLASH
    if place == stop:
        return at + 1
    byte = data[place]
    if byte == _SLASH:
        return _path(data, place + 1, stop, out, at, at + 1)
    return _rest(data, place, stop, out, at + 1) if byte in (_QUESTION, _HASH) else RARE


@inner
def _end_of_host(data: Bytes, start: int, stop: int) -> int:
    """Return where a usual host ends; RARE for another: it may be an address, or need IDNA."""
    place, label, letters = start, start, False
    while place < stop and _KINDS[data[place]] & _HOST != 0:
        byte = data[place]
        if byte == _DOT:
            if label == place:
                return RARE
            label, letters = place + 1, False
        elif place == label:
            letters = byte > _NINE
        elif byte == _HYPHEN and place == label + 3 and data[label] | 32 == _X and data[label + 1] | 32 == _N:
            return RARE
        place += 1
    return place if letters and place - start <= _MOST_HOST_CHARACTERS else RARE


@inner
def _end_of_port(data: Bytes, start: int, stop: int, secure: int) -> tuple[int, bool]:
    """Return where a port of up to four digits ends, and whether it is the scheme's own, or RARE."""
    place, port = start, 0
    while place < stop and _ZERO <= data[place] <= _NINE:
        port = 10 * port + data[place] - _ZERO
        place += 1
        if place - start > _MOST_PORT_DIGITS:
            return RARE, False
    if place == start or data[start] == _ZERO:
        return RARE, False
    return place, port == (443 if secure else 80)


@inner
def _path(data: Bytes, place: int, stop: int, out: Bytes, root: int, at: int) -> int:  # noqa: PLR0913, PLR0917
    """Write a path, of which `out` has the slash at `root` and what stands before `at`, and what follows it."""
    segment = at
    while True:
        byte = data[place] if place < stop else _HASH
        if byte not in (_SLASH, _QUESTION, _HASH):
            kind = _KINDS[byte]
            if kind & _ODD != 0 or (byte == _PERCENT and _is_dot(data, place, stop)):
                return RARE
            at = _written(byte, kind & _PATH, out, at)
            place += 1
            continue
        dots = _dots(out, segment, at)
        if dots > 0:
            at = segment if dots == 1 else _above(out, root, segment)
        elif byte == _SLASH:
            out[at] = _SLASH
            at += 1
        if byte != _SLASH:
            return _rest(data, place, stop, out, at)
        place += 1
        segment = at


@inner
def _is_dot(data: Bytes, place: int, stop: int) -> bool:
    """Say whether `%2e` stands at a place."""
    return place + 2 < stop and data[place + 1] == _TWO and data[place + 2] | 32 == _E


@inner
def _dots(out: Bytes, start: int, stop: int) -> int:
    """Return how many dots a segment is of: 1, 2, or 0 for another segment."""
    size = stop - start
    if not 1 <= size <= 2 or out[start] != _DOT or out[stop - 1] != _DOT:
        return 0
    return size


@inner
def _above(out: Bytes, root: int, segment: int) -> int:
    """Return where the segment before one begins; the first one has none before it."""
    place = segment - 1
    if place <= root:
        return root + 1
    while out[place - 1] != _SLASH:
        place -= 1
    return place


@inner
def _rest(data: Bytes, place: int, stop: int, out: Bytes, at: int) -> int:
    """Write query and fragment; return where they end, or RARE."""
    where = _QUERY
    while place < stop:
        byte = data[place]
        kind = _KINDS[byte]
        if kind & _ODD != 0:
            return RARE
        if byte == _HASH:
            where = _FRAGMENT
        at = _written(byte, kind & where, out, at)
        place += 1
    return at


@inner
def _written(byte: int, escaped: int, out: Bytes, at: int) -> int:
    if escaped == 0:
        out[at] = byte
        return at + 1
    out[at], out[at + 1], out[at + 2] = _PERCENT, _HEX[byte >> 4], _HEX[byte & 15]
    return at + 3
