"""The guard: every request that this server makes to a URL which somebody typed goes through `send`.

A name is resolved once, all of its addresses are looked at, and the connection goes to one that was looked at: what the
name says a moment later doesn't matter. No redirects, no proxies of the environment; bounded time and size.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from apps.core.addresses import Address, Allowed, may_call, parse_address
from apps.core.errors import InvalidInput

TOTAL_SECONDS = 10.0
RESOLVE_SECONDS = 4.0
MAX_ANSWER = 64 * 1024
MAX_URL = 2048
_MAX_READ = 2 * MAX_ANSWER
_PORTS = {"http": 80, "https": 443}
# More than calls are made at a time: a name whose servers are silent holds its thread after the call has given up.
_resolvers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="slipway-resolve")


class OutgoingError(Exception):
    """The request was not made, or not answered; the message is for whoever manages the URL."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is cut off at `MAX_ANSWER` bytes."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text that can be kept: without NUL, whatever its encoding."""
        return self.body.decode("utf-8", "replace").replace("\x00", "")


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that was taken apart: `host` in ASCII, `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str) -> None:
    """Raise `InvalidInput` for a URL that could never be called. One whose name doesn't resolve now may later."""
    destination = parse_url(url)
    try:
        addresses = resolve(destination)
    except OutgoingError:
        addresses = []
    try:
        for address in addresses:
            _refuse_closed(destination, address)
    except OutgoingError as error:
        raise InvalidInput(str(error)) from error
    if destination.scheme == "http" and not addresses and destination.host not in _allowed().hosts:
        raise InvalidInput(_TLS_ONLY)


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    verify_tls: bool = True,
    seconds: float = TOTAL_SECONDS,
) -> Answer:
    """Make one request. Raises `OutgoingError`, whose message holds nothing of the URL's path and query."""
    deadline = time.monotonic() + seconds
    try:
        destination = parse_url(url)
    except InvalidInput as error:
        raise OutgoingError(error.message) from error
    addresses = resolve(destination, min(RESOLVE_SECONDS, seconds))
    for address in addresses:
        _refuse_closed(destination, address)
    try:
        with _connect(destination, addresses, deadline, verify_tls) as wire:
            return _exchange(wire, destination, method, headers, body)
    except TimeoutError as error:
        raise OutgoingError(f"no complete answer within {seconds:g} seconds") from error
    except ssl.SSLError as error:
        raise OutgoingError(f"TLS failed: {error.reason or error}"[:300]) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OutgoingError(_in_words(error)) from error


def parse_url(url: str) -> Destination:
    """Take a URL apart. Raises `InvalidInput` for what no webhook needs: other schemes, credentials, odd addresses."""
    if not url.strip():
        raise InvalidInput("Webhook URL cannot be empty or just whitespace.")
    if len(url) > MAX_URL or any(ord(letter) <= 32 or ord(letter) == 127 or letter == "\\" for letter in url):
        raise InvalidInput(f"The URL is longer than {MAX_URL} characters, or holds blanks or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts)
        parse_address(host)
    except ValueError as error:
        raise InvalidInput(f"The URL can't be read: {error}.") from error
    if parts.scheme not in _PORTS:
        raise InvalidInput(f"Invalid webhook URL scheme: '{parts.scheme[:32]}'. Allowed schemes are: 'https'.")
    if "@" in parts.netloc:
        raise InvalidInput("The URL must not include embedded credentials.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii():
        raise InvalidInput("The URL's path and query have to be percent-encoded.")
    return Destination(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, target)


def resolve(destination: Destination, seconds: float = RESOLVE_SECONDS) -> list[Address]:
    """All addresses of the host now. Raises `OutgoingError`. On a thread, since the resolver has its own patience."""
    literal = parse_address(destination.host)
    if literal is not None:
        return [literal]
    pending: Future[list[str]] = _resolvers.submit(look_up, destination.host, destination.port)
    try:
        return [ipaddress.ip_address(text.partition("%")[0]) for text in dict.fromkeys(pending.result(seconds))]
    except FutureTimeoutError as error:
        pending.cancel()
        raise OutgoingError(f"the name {destination.host} did not resolve in time") from error
    except (OSError, UnicodeError) as error:
        raise OutgoingError(f"the name {destination.host} does not resolve") from error


def look_up(host: str, port: int) -> list[str]:
    """The addresses that the machine's resolver gives for a name."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


_TLS_ONLY = "Invalid webhook URL scheme: 'http'. Allowed schemes are: 'https', and 'http' for what the operator lists."


def _refuse_closed(destination: Destination, address: Address) -> None:
    if _allowed().lists(destination.host, address):
        return
    if not may_call(address):
        where = f"{destination.host} is not of the public internet"
        raise OutgoingError(f"{where}, and the operator's SLIPWAY_OUTGOING_ALLOW does not list it")
    if destination.scheme == "http":
        raise OutgoingError(_TLS_ONLY)


def _allowed() -> Allowed:
    allowed: Allowed = settings.OUTGOING_ALLOW
    return allowed


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise ValueError("it names no host")
    if host.isascii():
        return host
    return host.encode("idna").decode().lower()


def _connect(destination: Destination, addresses: list[Address], deadline: float, verify_tls: bool) -> _Wire:
    """Connected to the first address that answers. Each has been looked at, and no name is resolved here."""
    failure: OSError = ConnectionError("it has no address")
    for address in addresses:
        try:
            raw = socket.create_connection((str(address), destination.port), timeout=_left(deadline))
        except OSError as error:
            failure = error
            continue
        if destination.scheme == "http":
            return _Wire(raw, deadline)
        try:
            raw.settimeout(_left(deadline))
            return _Wire(_tls(verify_tls).wrap_socket(raw, server_hostname=destination.host), deadline)
        except BaseException:
            raw.close()
            raise
    raise failure


def _tls(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _exchange(wire: _Wire, destination: Destination, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
    connection = http.client.HTTPConnection(destination.host, destination.port)
    connection.sock = wire
    connection.putrequest(method, destination.target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", destination.authority)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "close")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    # Of an endless answer the status counts; the rest of it is not waited for.
    return Answer(response.status, response.read(MAX_ANSWER))


class _Wire:
    """A socket as `http.client` wants one, whose every wait ends at the deadline and whose bytes are counted.

    A time-out of a socket is for one read: who sends a byte a second would never meet it.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        """Nothing: `http.client` closes what it was given when it has read the head. The block's end closes it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._sock, self._deadline, self._budget = sock, deadline, _MAX_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise http.client.HTTPException("the answer's head is too long")
        return count


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _in_words(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "the connection was refused"
        case http.client.BadStatusLine() | http.client.IncompleteRead():
            return "the answer is not HTTP, or ended before it was complete"
        case OSError():
            return (error.strerror or str(error) or type(error).__name__)[:300]
    return (str(error) or type(error).__name__)[:300]
