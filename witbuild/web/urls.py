"""URLs as browsers read them (WHATWG URL standard): resolve, compare, cut into tasks by registered domain."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

import can_ada

if TYPE_CHECKING:
    import pyarrow as pa
    from publicsuffixlist import PublicSuffixList

MAX_CHARACTERS = 4_096
"""A longer URL is refused: servers refuse them too, and a table column must be bounded."""
_SCHEMES = ("http:", "https:")
_PREFIXES = ("http://", "https://")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_HOST = r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]+"
_PATH = r"(?:/(?:[\w~,+=&@:-][\w.~,+=&@:-]*)?)+"
_PLAIN = rf"^https?://{_HOST}{_PATH}(?:\?[\w.~,+=&@:/-]+)?$"
"""Of URLs that the standard's parser leaves as they are: no port, escape, dot segment, `xn--` or number for a host."""


def parse(url: str) -> can_ada.URL | None:
    """Return an absolute http or https URL in its parts, or None when it is not one.

    Example:
        >>> parse("HTTP://A.test:80/x").href
        'http://a.test/x'
        >>> parse("javascript:alert(1)") is None
        True
    """
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: lone surrogates are not text to the parser
        return None
    return _accept(parsed)


def resolve(base: str, reference: str) -> str | None:
    """Return the absolute http or https URL that a reference on a page means, or None when it means none.

    Backslashes, tabs, missing slashes, international and numeric hosts are read as a browser reads them. A
    result of more than 4,096 characters is None too.

    Example:
        >>> resolve("https://a.test/b/c.html", "//IMG.test/x y.jpg")
        'https://img.test/x%20y.jpg'
        >>> resolve("http://a.test/", "data:image/png;base64,AAAA") is None
        True
        >>> resolve("http://a.test/", "http://2130706433/")
        'http://127.0.0.1/'
    """
    return Base(base).resolve(reference)


class Base:
    """A page's address, parsed once for all references on it.

    Example:
        >>> Base("http://a.test/b/").resolve("../c")
        'http://a.test/c'
    """

    def __init__(self, url: str) -> None:
        try:
            self._url: can_ada.URL | None = can_ada.parse(url)
        except (ValueError, TypeError):
            self._url = None

    def resolve(self, reference: str) -> str | None:
        """Return what `resolve` returns for a reference."""
        if self._url is None or len(reference) > 3 * MAX_CHARACTERS:
            return None
        try:
            href: str = (self._url + reference).href
        except (ValueError, TypeError):
            return None
        # The serialisation of a URL with one of these schemes has a host: the standard's parser fails without one.
        return href if href.startswith(_PREFIXES) and len(href) <= MAX_CHARACTERS else None


def _accept(parsed: can_ada.URL) -> can_ada.URL | None:
    fine = parsed.protocol in _SCHEMES and parsed.hostname and len(parsed.href) <= MAX_CHARACTERS
    return parsed if fine else None


def canonical(url: str) -> str:
    """Return the form in which two URLs of one resource are equal; what is no web URL is returned as it is.

    Beyond the WHATWG serialisation (lower-case scheme and host, default port and dot segments removed):
    escapes of unreserved characters decoded and the others in upper case (RFC 3986, section 6.2.2), `https`
    as `http`; the trailing dot of the host, the credentials, an empty query and the fragment left out. It is
    for comparing, never for fetching.

    Example:
        >>> canonical("HTTPS://A.test.:443/%7Eb/../c%2f?#x")
        'http://a.test/c%2F'
    """
    parsed = parse(url)
    if parsed is None:
        return url
    port = f":{parsed.port}" if parsed.port else ""
    address = parsed.hostname.rstrip(".") + port + parsed.pathname + parsed.search
    return "http://" + _ESCAPE.sub(_normal_escape, address)


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in _UNRESERVED else match[0].upper()


def canonical_forms(urls: pa.Array) -> pa.Array:
    """Return the `canonical` form of each URL; most are it but for the `s` of `https`, which a pattern tells at once.

    Example:
        >>> import pyarrow as pa
        >>> canonical_forms(pa.array(["https://a.test/b.jpg?c=1", "http://A.test/%7Eb", "none"])).to_pylist()
        ['http://a.test/b.jpg?c=1', 'http://a.test/~b', 'none']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    urls = urls.cast(pa.large_string())
    short = pc.less_equal(pc.binary_length(urls), MAX_CHARACTERS)
    odd = pc.invert(pc.and_(short, pc.match_substring_regex(urls, _PLAIN)))
    forms = pc.if_else(pc.starts_with(urls, "https:"), pc.binary_replace_slice(urls, 0, 5, "http"), urls)
    others = [canonical(url) for url in urls.filter(odd).to_pylist()]
    return pc.replace_with_mask(forms, odd, pa.array(others, pa.large_string()))


def without_fragment(url: str) -> str:
    """Return what is asked of the server: the URL up to its fragment.

    Example:
        >>> without_fragment("http://a.test/x#y")
        'http://a.test/x'
    """
    return url.partition("#")[0]


def host(url: str) -> str:
    """Return the host, lower case, international names in their `xn--` form; empty when the URL has none.

    Example:
        >>> host("http://Bücher.test/"), host("http://[::1]:8080/"), host("mailto:a@b.test")
        ('xn--bcher-kva.test', '[::1]', '')
    """
    parsed = parse(url)
    return parsed.hostname if parsed else ""


def registered_domain(url: str) -> str:
    """Return the name that one owner registered: a public suffix (publicsuffix.org) and one label more.

    The list of suffixes is the installed package's. An address, a name of one label and a public suffix
    itself stand for themselves; a suffix that the list does not know counts as one label, as the list's
    algorithm says.

    Example:
        >>> registered_domain("http://img.shop.co.uk/a.jpg"), registered_domain("http://10.0.0.1/")
        ('shop.co.uk', '10.0.0.1')
        >>> registered_domain("http://localhost/")
        'localhost'
    """
    return _domain(host(url))


@lru_cache(maxsize=65_536)
def _domain(name: str) -> str:
    bare = name.rstrip(".")
    if not bare or is_address(bare):
        return bare
    return _suffixes().privatesuffix(bare) or bare


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def is_address(name: str) -> bool:
    """Say whether a host is an IP address, an IPv6 one in brackets.

    Example:
        >>> is_address("127.0.0.1"), is_address("[::1]"), is_address("a.test")
        (True, True, False)
    """
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def domain_slice(url: str, slices: int) -> int:
    """Return the slice, 0 to slices - 1, of a URL's registered domain: a hash, the same on every machine.

    Example:
        >>> domain_slice("http://a.shop.test/1", 8) == domain_slice("https://b.shop.test/2", 8)
        True
    """
    digest = hashlib.blake2b(registered_domain(url).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % slices


def origin(url: str) -> str:
    """Return scheme, host and port of a web URL, without a slash at the end; empty when it is none.

    Example:
        >>> origin("http://A.test:8080/x?y"), origin("https://a.test:443/")
        ('http://a.test:8080', 'https://a.test')
    """
    parsed = parse(url)
    return parsed.origin if parsed else ""


def path(url: str) -> str:
    """Return the path and the query of a web URL, as robots.txt patterns are held against; empty when it is none.

    Example:
        >>> path("http://a.test/x y?z#w"), path("mailto:a@b.test")
        ('/x%20y?z', '')
    """
    parsed = parse(url)
    return parsed.pathname + parsed.search if parsed else ""


def suffixes(name: str) -> list[str]:
    """Return a host and the domains that it lies in, without a trailing dot.

    Example:
        >>> suffixes("img.a.test."), suffixes("127.0.0.1")
        (['img.a.test', 'a.test', 'test'], ['127.0.0.1'])
    """
    bare = name.rstrip(".")
    if is_address(bare):
        return [bare]
    labels = bare.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]
