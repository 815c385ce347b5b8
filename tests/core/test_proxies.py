"""Who is taken for the caller where proxies stand between."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from apps.core.proxies import name_caller

TRUSTED = [ip_network("172.31.254.0/28"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("connected", "forwarded", "caller"),
    [
        ("172.31.254.2", [b"203.0.113.9"], "203.0.113.9"),
        # What the caller wrote itself stands left of what our proxy saw.
        ("172.31.254.2", [b"10.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("172.31.254.2", [b"10.0.0.1", b"203.0.113.9"], "203.0.113.9"),
        # Two of ours, one before the other.
        ("172.31.254.2", [b"203.0.113.9, 172.31.254.3"], "203.0.113.9"),
        ("172.31.254.2", [b"2001:db8::7"], "2001:db8::7"),
        ("::ffff:172.31.254.2", [b"203.0.113.9"], "203.0.113.9"),
        ("172.31.254.2", [], "172.31.254.2"),
        ("172.31.254.2", [b"nonsense"], "172.31.254.2"),
        ("172.31.254.2", [b"203.0.113.9, nonsense"], "172.31.254.2"),
        # Nobody else is believed.
        ("198.51.100.4", [b"203.0.113.9"], "198.51.100.4"),
        ("", [b"203.0.113.9"], ""),
    ],
)
def test_only_our_proxies_are_believed(connected: str, forwarded: list[bytes], caller: str) -> None:
    scope: dict[str, Any] = {"client": (connected, 4711), "headers": [(b"x-forwarded-for", each) for each in forwarded]}
    name_caller(scope, TRUSTED)
    assert scope["client"] == (caller, 4711)


def test_nobody_is_connected_by_a_socket_without_address() -> None:
    scope: dict[str, Any] = {"client": None, "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
    name_caller(scope, TRUSTED)
    assert scope["client"] is None
