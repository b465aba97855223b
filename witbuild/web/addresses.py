"""The network guard: http and https to public addresses, nothing else.

    URL ──check_url──> scheme, port, credentials
     └─ host ──resolve once──> addresses ──check_address──> pinned ──> socket (checked again when it is made)

An address is judged after unwrapping: an IPv4 address inside an IPv6 one is judged as itself. The tables
follow the IANA special-purpose address registries (RFC 6890); the clouds' metadata addresses are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from witbuild.web import urls
from witbuild.web.reasons import FetchError

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports of web servers; others may be something that a crafted request would harm."""

_V4 = tuple(
    (ip_network(network), word)
    for network, word in (
        ("168.63.129.16/32", "metadata"),  # Azure's wire server
        ("169.254.169.254/32", "metadata"),
        ("100.100.100.200/32", "metadata"),  # Alibaba
        ("192.0.0.192/32", "metadata"),  # Oracle
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "private"),  # carriers' shared space
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link_local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "transition"),  # 6to4 relays
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "documentation"),  # benchmarks
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6 = tuple(
    (ip_network(network), word)
    for network, word in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fd00:ec2::254/128", "metadata"),  # Amazon
        ("fd20:ce::254/128", "metadata"),  # Google
        ("::/96", "transition"),  # IPv4-compatible
        ("::ffff:0:0:0/96", "transition"),  # IPv4-translated
        ("64:ff9b:1::/48", "transition"),  # local NAT64
        ("2001::/32", "transition"),  # Teredo
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "transition"),  # 6to4
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link_local"),
        ("fec0::/10", "private"),  # site-local
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_INTRANET = frozenset({"loopback", "private", "documentation"})
"""What `allow_private` opens: never metadata, link-local, multicast, transition or reserved addresses."""


@lru_cache(maxsize=4_096)
def refusal(address: str) -> str | None:
    """Return the word for what an address is when it is not on the public internet, else None.

    Args:
        address: in text; a scope such as `%eth0` is allowed.

    Raises:
        ValueError: it is not an IP address.

    Example:
        >>> refusal("::ffff:127.0.0.1"), refusal("64:ff9b::a9fe:a9fe"), refusal("1.1.1.1")
        ('loopback', 'metadata', None)
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        inner = _inside(parsed)
        return _refusal_v6(parsed) if inner is None else _word(inner)
    return _word(parsed)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to a mapped or NAT64 address reach."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _refusal_v6(address: IPv6Address) -> str | None:
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "transition"
    for network, word in _V6:
        if address in network:
            return word
    return None if address in _GLOBAL else "reserved"


def _word(address: IPv4Address) -> str | None:
    return next((word for network, word in _V4 if address in network), None)


@dataclass(frozen=True, slots=True)
class Guard:
    """What a client may connect to.

    Attributes:
        allow_private: open loopback, private and documentation addresses too, for tests and intranets.
        ports: that a URL may name.
        block_hosts: hosts and domains, lower case, that are not connected to, nor what lies below them.
    """

    allow_private: bool = False
    ports: frozenset[int] = PORTS
    block_hosts: frozenset[str] = frozenset()

    def check_url(self, url: str) -> str:
        """Return the URL as it is sent, or raise FetchError (bad_url, port, private_address, blocked_host).

        Example:
            >>> Guard().check_url("http://A.test/x#y")
            'http://a.test/x'
        """
        parsed = urls.parse(url)
        if parsed is None:
            raise FetchError("bad_url", "not an http or https URL")
        if parsed.username or parsed.password:
            raise FetchError("bad_url", "carries credentials")
        port = int(parsed.port) if parsed.port else {"http:": 80, "https:": 443}[parsed.protocol]
        if port not in self.ports:
            raise FetchError("port", f"port {port} is not one of {sorted(self.ports)}")
        self.check_host(parsed.hostname)
        return urls.without_fragment(parsed.href)

    def check_host(self, host: str) -> None:
        """Raise FetchError (blocked_host, private_address) when a host must not be asked, whatever its addresses."""
        if self.blocks(host):
            raise FetchError("blocked_host", "in the list of blocked hosts")
        if urls.is_address(host):
            self.check_address(host.strip("[]"))

    def blocks(self, host: str) -> bool:
        """Say whether a host, or a domain that it lies in, is blocked.

        Example:
            >>> guard = Guard(block_hosts=frozenset({"b.test"}))
            >>> guard.blocks("img.b.test"), guard.blocks("b.test."), guard.blocks("ab.test")
            (True, True, False)
        """
        return bool(self.block_hosts) and not self.block_hosts.isdisjoint(urls.suffixes(host))

    def allows(self, address: str) -> bool:
        """Say whether an address may be connected to."""
        word = refusal(address)
        return word is None or (self.allow_private and word in _INTRANET)

    def check_address(self, address: str) -> None:
        """Raise FetchError (private_address) when an address must not be connected to."""
        if not self.allows(address):
            raise FetchError("private_address", f"{address} is a {refusal(address)} address")
