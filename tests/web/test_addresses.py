"""The guard's table: every dangerous address in every disguise is refused, public ones are not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import urls
from witbuild.web.addresses import Guard, refusal
from witbuild.web.reasons import FetchError

DANGEROUS = {
    "0.0.0.0": "unspecified",  # noqa: S104
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "private",
    "100.100.100.200": "metadata",
    "100.127.255.255": "private",
    "127.0.0.1": "loopback",
    "127.1.2.3": "loopback",
    "168.63.129.16": "metadata",
    "169.254.0.1": "link_local",
    "169.254.169.254": "metadata",
    "169.254.170.2": "link_local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.1": "reserved",
    "192.0.0.192": "metadata",
    "192.0.2.1": "documentation",
    "192.88.99.1": "transition",
    "192.168.1.1": "private",
    "198.18.0.1": "documentation",
    "198.19.255.255": "documentation",
    "198.51.100.1": "documentation",
    "203.0.113.255": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
}
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.215.14", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255",
    "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
)  # fmt: skip
NATIVE_V6 = {
    "::": "unspecified",
    "::1": "loopback",
    "fc00::1": "private",
    "fd00::1": "private",
    "fd00:ec2::254": "metadata",
    "fd20:ce::254": "metadata",
    "fdff:ffff::": "private",
    "fe80::1": "link_local",
    "fe80::1%eth0": "link_local",
    "febf::1": "link_local",
    "fec0::1": "private",
    "feff::1": "private",
    "ff02::1": "multicast",
    "ff0e::1": "multicast",
    "100::1": "reserved",
    "64:ff9b:1::1": "transition",
    "64:ff9b:1:ffff::808:808": "transition",
    "2001::1": "transition",
    "2001:2::1": "reserved",
    "2001:10::1": "reserved",
    "2001:20::1": "reserved",
    "2001:1ff:ffff::1": "reserved",
    "2001:db8::1": "documentation",
    "2002:0808:0808::1": "transition",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "5f00::1": "reserved",
    "1fff::1": "reserved",
}
PUBLIC_V6 = ("2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "2400:cb00::1", "2003::1", "3ffe::1")


def mapped(address: str) -> str:
    return f"::ffff:{address}"


def nat64(address: str) -> str:
    return f"64:ff9b::{address}"


def compatible(address: str) -> str:
    return f"::{address}"


def translated(address: str) -> str:
    return f"::ffff:0:{address}"


def six_to_four(address: str) -> str:
    return str(IPv6Address(0x2002 << 112 | int(IPv4Address(address)) << 80 | 1))


def teredo(address: str) -> str:
    return str(
        IPv6Address(0x2001 << 112 | int(IPv4Address("65.54.227.120")) << 64 | ~int(IPv4Address(address)) & 0xFFFFFFFF)
    )


def isatap(address: str) -> str:
    return str(IPv6Address(0x2A00 << 112 | 0x5EFE << 32 | int(IPv4Address(address))))


@pytest.mark.parametrize("address", DANGEROUS)
def test_dangerous_addresses_are_refused(address: str) -> None:
    assert refusal(address) == DANGEROUS[address]


@pytest.mark.parametrize("address", DANGEROUS)
@pytest.mark.parametrize("disguise", [mapped, nat64])
def test_an_address_inside_another_is_judged_as_itself(disguise: object, address: str) -> None:
    assert callable(disguise)
    assert refusal(disguise(address)) == DANGEROUS[address]


@pytest.mark.parametrize("address", [*DANGEROUS, *PUBLIC])
@pytest.mark.parametrize("disguise", [compatible, translated, six_to_four, teredo, isatap])
def test_dead_transition_addresses_are_refused_whatever_they_hold(disguise: object, address: str) -> None:
    assert callable(disguise)
    assert refusal(disguise(address)) is not None


@pytest.mark.parametrize("address", NATIVE_V6)
def test_dangerous_v6_addresses_are_refused(address: str) -> None:
    assert refusal(address) == NATIVE_V6[address]


@pytest.mark.parametrize("address", [*PUBLIC, *map(mapped, PUBLIC), *map(nat64, PUBLIC), *PUBLIC_V6])
def test_public_addresses_are_not(address: str) -> None:
    assert refusal(address) is None


@given(st.ip_addresses())
def test_what_the_library_calls_local_is_never_public(address: IPv4Address | IPv6Address) -> None:
    local = address.is_loopback or address.is_private or address.is_link_local or address.is_multicast
    assert not (local and refusal(str(address)) is None) or int(address) >> 32 == 0x64FF9B << 64


@pytest.mark.parametrize(
    "spelling",
    [
        "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0x7f.0x0.0x0.0x1",
        "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]",
        "[0:0:0:0:0:0:0:1]", "[64:ff9b::127.0.0.1]", "%31%32%37.0.0.1", "[::]", "0", "0x0", "2852039166",
        "0xa9fea9fe", "169.16689662", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_no_spelling_of_an_inside_address_passes(spelling: str) -> None:
    with pytest.raises(FetchError) as caught:
        Guard().check_url(f"http://{spelling}/latest/meta-data/")
    assert caught.value.reason == "private_address"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "bad_url"),
        ("gopher://a.test/", "bad_url"),
        ("ftp://a.test/", "bad_url"),
        ("data:text/plain,x", "bad_url"),
        ("http:///", "bad_url"),
        ("http://[::1%25eth0]/", "bad_url"),
        ("http://1.2.3.4.5/", "bad_url"),
        ("http://256.1.1.1/", "bad_url"),
        ("http://a.test@127.0.0.1/", "bad_url"),
        ("http://user:word@a.test/", "bad_url"),
        ("http://a.test:22/", "port"),
        ("https://a.test:6379/", "port"),
        ("http://a.test:0/", "port"),
    ],
)
def test_other_ways_in_are_closed(url: str, reason: str) -> None:
    with pytest.raises(FetchError) as caught:
        Guard().check_url(url)
    assert caught.value.reason == reason


@pytest.mark.parametrize("url", ["http://a.test/", "https://a.test:443/", "http://a.test:8080/x", "http://1.1.1.1/"])
def test_ordinary_urls_pass(url: str) -> None:
    assert Guard().check_url(url) == urls.resolve(url, "")


@pytest.mark.parametrize("address", [*DANGEROUS, *NATIVE_V6])
def test_allow_private_opens_the_intranet_and_nothing_else(address: str) -> None:
    opened = Guard(allow_private=True).allows(address)
    assert opened == (refusal(address) in {"private", "loopback", "documentation"})
    assert not Guard().allows(address)
