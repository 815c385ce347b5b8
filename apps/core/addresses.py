"""Which addresses this server may call on somebody's behalf: those of the public internet, and what the operator lists.

A list is kept of what is allowed and not of what is private: new private ranges appear, and an address can hide in
another (IPv4 in IPv6, behind NAT64, in 6to4).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_V6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What the standard library takes for global in one of its releases, or hands to a cloud's own services.
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    )
]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator opens although it is private: host names, all of whose addresses are fine, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Entries are host names, addresses and networks. Raises `ValueError` for what is none of them."""
        hosts, networks = set(), []
        for entry in entries:
            if _looks_like_network(entry):
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            elif all(part.replace("-", "").replace("_", "").isalnum() for part in entry.split(".")):
                hosts.add(entry.lower())
            else:
                raise ValueError(f"{entry!r} is neither a host name nor an address or network")
        return cls(frozenset(hosts), tuple(networks))

    def lists(self, host: str, address: Address) -> bool:
        """Whether the operator opened this host, or this address whatever its host."""
        forms = {address, embedded(address)}
        return host.lower() in self.hosts or any(form in network for network in self.networks for form in forms)


def may_call(address: Address) -> bool:
    """Whether it is an address of the public internet, also when another is hidden in it."""
    inner = embedded(address)
    if inner != address:
        return may_call(inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in _V6_GLOBAL:
        return False
    refused = any(address in network for network in _REFUSED if network.version == address.version)
    return address.is_global and not (refused or address.is_multicast or address.is_reserved)


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def parse_address(host: str) -> Address | None:
    """The address that a host of a URL is written as; None for a name. Raises `ValueError` for odd spellings.

    `127.1`, `0x7f.1` and `2130706433` are addresses to some resolvers and names to others.
    """
    last = host.rstrip(".").rpartition(".")[2].lower()
    if ":" in host or last.isdecimal() or last.startswith("0x"):
        return ipaddress.ip_address(host)
    return None


def _looks_like_network(entry: str) -> bool:
    try:
        ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False
    return True
