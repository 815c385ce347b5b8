"""Taking a port, and who has it where that fails."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from apps.core.errors import Conflict, InvalidInput

_PROC = Path("/proc")
_LISTENS = "0A"


def open_port(host: str, port: int) -> socket.socket:
    """The port, taken for us: a socket on which somebody may begin to listen.

    Raises `Conflict` that names the process which listens there, and `InvalidInput` for what is no address of ours.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        # Of a name with both kinds of addresses the older one, which all programs know.
        family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        with ExitStack() as otherwise:
            opened = otherwise.enter_context(socket.socket(family, kind, protocol))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            otherwise.pop_all()
        return opened
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"port {port} is taken by {holder_of(port)}; choose another with --port.") from error
        if error.errno == errno.EACCES:
            raise InvalidInput(f"port {port} is not for you to listen on: {error.strerror}.") from error
        raise InvalidInput(f"{host} is no address of this machine: {error.strerror or error}.") from error


def why_not(host: str, number: int) -> str:
    """Why a port can't be had; empty where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {number} is taken by {holder_of(number)}"
        if error.errno == errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine"
        return f"port {number} of {host} can't be listened on: {error.strerror}"
    return ""


def holder_of(port: int) -> str:
    """The process that listens on a port, as far as this user may know: `python (process 4242)`."""
    sockets = _listening(port)
    for folder in _PROC.glob("[0-9]*") if sockets else ():
        if sockets & _sockets_of(folder):
            return f"{_name_of(folder)} (process {folder.name})"
    return "another process"


def _listening(port: int) -> set[str]:
    """The sockets that listen on it, as links in /proc name them."""
    found = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            rows = [line.split() for line in (_PROC / table).read_text().splitlines()[1:]]
        except OSError:
            continue
        found |= {f"socket:[{row[9]}]" for row in rows if row[3] == _LISTENS and row[1].endswith(f":{port:04X}")}
    return found


def _sockets_of(folder: Path) -> set[str]:
    """What a process has open; nothing where it is another user's, or has ended."""
    found = set()
    with suppress(OSError):
        for link in (folder / "fd").iterdir():
            with suppress(FileNotFoundError):
                found.add(str(link.readlink()))
    return found


def _name_of(folder: Path) -> str:
    """The script of an interpreter, which says more than `python`; else the program."""
    try:
        words = [Path(word).name for word in (folder / "cmdline").read_text().split("\0") if word]
        program = (folder / "comm").read_text().strip()
    except OSError:
        return "a process"
    if len(words) < 2 or not words[0].startswith("python"):
        return program
    script = words[2] if words[1] == "-m" and len(words) > 2 else words[1]
    return program if script.startswith("-") else script
