from __future__ import annotations

import ipaddress

import pytest

from apps.core.addresses import Allowed, may_call, parse_address

PRIVATE = [
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:1::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_public_internet_may_not_be_called(address: str) -> None:
    assert not may_call(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_may(address: str) -> None:
    assert may_call(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.0.0.1.", "1.2.3"])
def test_odd_spellings_of_addresses_are_none(host: str) -> None:
    with pytest.raises(ValueError):
        parse_address(host)


def test_what_the_operator_lists() -> None:
    allowed = Allowed.of(["Hooks.internal", "10.0.0.0/8", "192.168.7.7", "fd00::/8"])
    for host, address in (
        ("hooks.internal", "127.0.0.1"),
        ("x", "10.9.9.9"),
        ("x", "::ffff:10.9.9.9"),
        ("x", "192.168.7.7"),
        ("x", "fd00::1"),
    ):
        assert allowed.lists(host, ipaddress.ip_address(address))
    assert not allowed.lists("evil.hooks.internal", ipaddress.ip_address("127.0.0.1"))
    assert not allowed.lists("x", ipaddress.ip_address("192.168.7.8"))
