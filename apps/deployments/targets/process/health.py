"""Asking many instances at once whether they answer, within one short time for all."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from urllib.parse import urlsplit

from apps.deployments.sockets import not_through_links

_SECONDS = 2.0
_REQUEST = b"GET /health HTTP/1.1\r\nHost: instance\r\nConnection: close\r\n\r\n"
_ENOUGH = 64


def healthy(addresses: Mapping[int, str], seconds: float = _SECONDS) -> frozenset[int]:
    """Those that answered 200 in time. `addresses` are `unix:/path` or `http://host:port`."""
    found: set[int] = set()
    with selectors.DefaultSelector() as selector:
        try:
            for number, address in addresses.items():
                _begin(selector, number, address)
            deadline = time.monotonic() + seconds
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    _go_on(selector, key, found)
        finally:
            for key in list(selector.get_map().values()):
                _close(selector, key.fileobj)
    return frozenset(found)


def _begin(selector: selectors.BaseSelector, number: int, address: str) -> None:
    made, place = _socket_of(address)
    made.setblocking(False)
    try:
        with suppress(BlockingIOError), _way_to(place) as way:
            made.connect(way)
        selector.register(made, selectors.EVENT_WRITE, (number, bytearray()))
    except OSError:
        made.close()


def _socket_of(address: str) -> tuple[socket.socket, str | tuple[str, int]]:
    scheme, _, path = address.partition(":")
    if scheme == "unix":
        return socket.socket(socket.AF_UNIX), path
    parts = urlsplit(address)
    host = parts.hostname or ""
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET), (host, parts.port or 80)


def _way_to(place: str | tuple[str, int]) -> AbstractContextManager[str | tuple[str, int]]:
    return not_through_links(place) if isinstance(place, str) else nullcontext(place)


def _go_on(selector: selectors.BaseSelector, key: selectors.SelectorKey, found: set[int]) -> None:
    number, text = key.data
    assert isinstance(key.fileobj, socket.socket)  # noqa: S101
    try:
        if key.events == selectors.EVENT_WRITE:
            key.fileobj.send(_REQUEST)
            selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
            return
        data = key.fileobj.recv(_ENOUGH)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    text += data
    status = bytes(text).split(b" ", 2)
    if len(status) > 2 and status[1] == b"200":
        found.add(number)
    if not data or len(status) > 2 or len(text) > _ENOUGH:
        _close(selector, key.fileobj)


def _close(selector: selectors.BaseSelector, file: object) -> None:
    assert isinstance(file, socket.socket)  # noqa: S101
    selector.unregister(file)
    file.close()
