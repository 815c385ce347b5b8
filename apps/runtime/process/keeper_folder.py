"""What a keeper has in its folder: its lock, its sockets, and what it says there. For the keeper alone."""

# ruff: noqa: PTH101, PTH104, PTH106, PTH107, PTH110, PTH123
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BACKLOG = 512
_LOCK_TRIES, _LOCK_SECONDS = 100, 0.02


def take_lock() -> None:
    """Held as long as one of the two processes lives. Raises `OSError` where somebody else has it or had it."""
    lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for left in reversed(range(_LOCK_TRIES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            # Somebody looks whether it is held: that takes no time.
            if os.path.exists("born") or not left:
                raise OSError(0, "it was started already") from None
            time.sleep(_LOCK_SECONDS)
    if os.path.exists("born"):
        raise OSError(0, "it was started already")


def listening_at(wanted: str | tuple[str, int]) -> tuple[socket.socket, str]:
    """The command's socket, and where it is reached."""
    if isinstance(wanted, str):
        return socket_at(wanted), f"unix:{wanted}"
    made = socket.create_server(tuple(wanted), family=_family_of(wanted[0]), backlog=_BACKLOG)
    host, port = made.getsockname()[:2]
    return made, f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def socket_at(path: str) -> socket.socket:
    if os.path.lexists(path):
        os.remove(path)
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    os.chmod(path, 0o600)
    made.listen(_BACKLOG)
    return made


def user_of(caller: socket.socket) -> int:
    said = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user: int = struct.unpack("3i", said)[1]
    return user


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def start_of(pid: int) -> str:
    """Ticks since the machine started."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]


def leave(wanted: dict[str, Any], said: dict[str, Any]) -> None:
    """Say what came of it, and give back what is nobody's now."""
    out_of_memory = any(_was_killed(group) for group in wanted["groups"])
    write_whole("ended.json", json.dumps({**said, "out_of_memory": out_of_memory, "at_ms": int(time.time() * 1000)}))
    for path in (wanted["control"], *([wanted["listen"]] if isinstance(wanted["listen"], str) else [])):
        try:
            os.remove(path)
        except OSError:
            continue
    for group in wanted["groups"]:
        try:
            os.rmdir(group)
        except OSError:
            continue


def _was_killed(group: str) -> bool:
    """Whether the kernel killed something of a group because of its memory."""
    for name in ("memory.oom_control", "memory.events"):
        try:
            with open(f"{group}/{name}") as file:
                lines = [line.split() for line in file]
        except OSError:
            continue
        return any(line[0] == "oom_kill" and line[1] != "0" for line in lines if len(line) == 2)
    return False


def write_whole(name: str, text: str) -> None:
    """Whole or not at all."""
    try:
        with open(f"{name}.new", "w") as file:
            file.write(text)
        os.rename(f"{name}.new", name)
    except OSError:
        return


def say(line: str) -> None:
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:
        return
