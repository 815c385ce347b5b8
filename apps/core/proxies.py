"""Who calls, where a proxy stands between: only those that the operator named are believed.

Here, once, for pages, sockets and the gateway alike: all of them read the scope.
"""

from __future__ import annotations

import ipaddress
from collections.abc import MutableMapping, Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_GIVEN = (b"x-request-id", b"traceparent", b"tracestate", b"baggage")


def name_caller(scope: MutableMapping[str, Any], trusted: Sequence[Network]) -> None:
    """Put the caller's address into the scope, if who is connected is a proxy that we trust.

    Read from the right: each proxy adds whom it saw, and what stands left of one that isn't ours is hearsay. From
    anybody else the ids of the request and of its trace are not taken either: where there are proxies, they give them.
    """
    host, port = scope.get("client") or ("", 0)
    if not _is_in(host, trusted):
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in _GIVEN]
        return
    given = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
    for entry in reversed([entry.strip() for entry in given.split(",") if entry.strip()]):
        if not _is_address(entry):
            return
        scope["client"] = (entry, port)
        if not _is_in(entry, trusted):
            return


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    if not _is_address(text):
        return False
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
