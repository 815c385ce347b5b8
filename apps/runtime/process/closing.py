"""Ports that no command may connect to, on whatever host: where this server has its database and broker.

By Landlock, which Linux has from 6.7 on, without any right and without a network of the command's own. It knows ports
to allow, not ports to forbid, so all others are listed: once, in a set that each command is then held to.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from dataclasses import dataclass
from functools import cache

_CREATE, _ADD = 444, 445
_VERSION = 1
_CONNECT_TCP = 2
_NET_PORT = 2
# Neither signals nor sockets without a file reach whoever isn't held to the set as well.
_SCOPED = 1 | 2
_LEAST, _WITH_SCOPES = 4, 6


@dataclass(frozen=True, slots=True)
class Closed:
    """`ports` are closed by the set behind `descriptor`; None: this kernel can't."""

    ports: tuple[int, ...] = ()
    descriptor: int | None = None


@cache
def closed(ports: tuple[int, ...]) -> Closed:
    """A set for the life of this process; without ports one that bounds signals alone."""
    version = _call(_CREATE, None, 0, _VERSION)
    if version < (_LEAST if ports else _WITH_SCOPES):
        return Closed(ports)
    network = _CONNECT_TCP if ports else 0
    handled = struct.pack("QQQ", 0, network, _SCOPED) if version >= _WITH_SCOPES else struct.pack("QQ", 0, network)
    descriptor = _call(_CREATE, handled, len(handled), 0)
    if descriptor < 0:
        return Closed(ports)
    if ports and not all(_is_allowed(descriptor, port) for port in range(65_536) if port not in ports):
        os.close(descriptor)
        return Closed(ports)
    return Closed(ports, descriptor)


def _is_allowed(descriptor: int, port: int) -> bool:
    return _call(_ADD, descriptor, _NET_PORT, struct.pack("QQ", _CONNECT_TCP, port), 0) == 0


def _call(*arguments: object) -> int:
    return int(_libc().syscall(*arguments)) if sys.platform == "linux" else -1


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
