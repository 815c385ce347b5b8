"""The other end of a keeper: starting one, finding it again by its folder, and having it end what it keeps."""

from __future__ import annotations

import fcntl
import json
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.core.errors import Unavailable
from apps.runtime.process.child import Wanted
from apps.runtime.process.identity import start_of

_PROGRAM = Path(__file__).with_name("keeper.py")
# The number of the open socket that the command listens on.
LISTENING = 200
# A keeper says at once that it is there; more only where the machine is very busy.
_START_SECONDS = 20.0
_CONTROL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What a keeper is to keep: a command, and how.

    `room` is the folder that is the keeper's alone. `listen`: the path of a socket, or a host and a port (0: any),
    which the command is given as the open file `LISTENING`. `held`: open files that stay open as long as the keeper
    lives, by which others see what is in use. It ends the command when nobody touches `heartbeat` for `beat_seconds`,
    and when what lies in `room/room` takes more than `disk` bytes.
    """

    command: Wanted
    room: Path
    control: Path
    listen: Path | tuple[str, int]
    heartbeat: Path
    beat_seconds: float = 600.0
    grace: float = 30.0
    log_bytes: int = 8 * 1024 * 1024
    held: tuple[int, ...] = ()
    disk: int | None = None
    # A variable that the command has and nobody else, `NAME=value`: so what is left of it can be told.
    mark: str = ""

    def to_bytes(self) -> bytes:
        """As the keeper reads it."""
        name, _, value = self.mark.partition("=")
        # The sandbox's own processes have it too.
        marked = {name: value} if name else {}
        said = self.command.to_values() | {
            "variables": {**self.command.variables, **marked},
            "room": str(self.room),
            "control": str(self.control),
            "listen": str(self.listen) if isinstance(self.listen, Path) else self.listen,
            "heartbeat": str(self.heartbeat),
            "beat_seconds": self.beat_seconds,
            "grace": self.grace,
            "log_bytes": self.log_bytes,
            "held": self.held,
            "disk": self.disk,
        }
        text = marshal.dumps(said)
        return len(text).to_bytes(4, "big") + text


@dataclass(frozen=True, slots=True)
class Born:
    """A keeper's process, and where its command is reached: `unix:/path` or `http://host:port`."""

    pid: int
    start: str
    address: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a command. `reasons` are the keeper's words: `asked`, `memory`, `disk`, `forgotten`, `lost`."""

    code: int
    reasons: frozenset[str] = field(default_factory=frozenset)
    is_out_of_memory: bool = False
    at_ms: int | None = None


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One at a time. Raises `Unavailable` where another takes too long."""
    with file.open("w") as lock:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable("It is being started by another process.") from None
                time.sleep(0.02)
        yield


def start(kept: Kept) -> Born:
    """Start a keeper in a folder that never had one. Returns when it is there; it is nobody's child.

    Raises `Unavailable` with its reason.
    """
    (kept.room / "log").mkdir(mode=0o700, exist_ok=True)
    left = {"mark": kept.mark, "groups": [str(group) for group in kept.command.groups]}
    (kept.room / "left.json").write_text(json.dumps(left))
    (kept.room / "ended.json").unlink(missing_ok=True)
    closed = kept.command.closed
    with ExitStack() as stack:
        starter = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM)],
                cwd="/",
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(*kept.held, *(() if closed is None else (closed,))),
                bufsize=0,
            )
        )
        assert starter.stdin is not None and starter.stdout is not None  # noqa: S101
        with suppress(OSError):
            starter.stdin.write(kept.to_bytes())
            starter.stdin.close()
        said = _line(starter.stdout.fileno())
    words = said.split()
    if words[:1] != ["up"]:
        raise Unavailable(f"It can't be started: {said.removeprefix('no ')[-500:] or 'its keeper said nothing'}.")
    return Born(int(words[1]), words[2], words[3])


def _line(source: int) -> str:
    """The first line, or all where none is whole."""
    text, deadline = b"", time.monotonic() + _START_SECONDS
    while not (text.startswith((b"up ", b"no ")) and b"\n" in text):
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        data = os.read(source, 4096) if ready else b""
        if not data:
            break
        text += data
    return text.decode(errors="replace").strip()


def born_in(room: Path) -> Born | None:
    """The keeper that was started in a folder, if one ever was."""
    try:
        words = (room / "born").read_text().split()
        return Born(int(words[1]), words[2], words[3])
    except (OSError, ValueError, IndexError):
        return None


def ended_in(room: Path) -> Ended | None:
    """What came of the command in a folder, once it is said."""
    try:
        said: dict[str, Any] = json.loads((room / "ended.json").read_text())
    except (OSError, ValueError):
        return None
    reasons = frozenset(name for name, value in said.items() if value is True) - {"out_of_memory"}
    return Ended(int(said.get("code", -9)), reasons, bool(said.get("out_of_memory")), said.get("at_ms"))


def is_kept(room: Path) -> bool:
    """Whether one of the keeper's two processes lives: the kernel knows who holds the lock, whatever ids say."""
    try:
        with (room / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def end(room: Path, control: Path, grace_s: float) -> None:
    """Have a command ended: asked, and killed after a grace. Returns at once."""
    try:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_CONTROL_SECONDS)
            caller.connect(str(control))
            caller.sendall(f"end {max(0.0, grace_s):.1f}\n".encode())
            if caller.recv(16):
                return
    except OSError:
        pass
    # It has ended, or it hangs: then its second process ends what is left.
    born = born_in(room)
    if born is not None and is_kept(room):
        _kill_keeper(born)
    else:
        sweep(room)


def _kill_keeper(born: Born) -> None:
    """The keeper's own process is the only child of its second one, which has to be the one that was started."""
    try:
        below = [int(word) for word in Path(f"/proc/{born.pid}/task/{born.pid}/children").read_text().split()]
    except (OSError, ValueError):
        return
    found = [(child, start_of(str(child))) for child in below]
    if start_of(str(born.pid)) == born.start:
        for child in found:
            kill_exactly(*child)


def sweep(room: Path) -> bool:
    """End what is left where both processes of a keeper were killed; whether nothing is left any more.

    Then it is said that it ended, as its keeper would have.
    """
    if is_kept(room):
        return False
    if ended_in(room) is not None:
        return True
    left = _left_in(room)
    found = [(pid, start_of(str(pid))) for pid in _marked(str(left.get("mark", "")))]
    for process in found:
        kill_exactly(*process)
    if found:
        return False
    for group in left.get("groups", ()):
        with suppress(OSError):
            Path(group).rmdir()
    with suppress(OSError):
        (room / "ended.json").write_text(json.dumps({"code": -signal.SIGKILL, "lost": True}))
    return True


def _left_in(room: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((room / "left.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _marked(mark: str) -> Iterator[int]:
    """Processes that have a variable of that name and value."""
    wanted = f"\x00{mark}\x00".encode()
    for name in os.listdir("/proc") if mark else ():  # noqa: PTH208
        if name.isdigit():
            with suppress(OSError):
                if wanted in b"\x00" + Path("/proc", name, "environ").read_bytes() + b"\x00":
                    yield int(name)


def kill_exactly(pid: int, start: str) -> None:
    """Kill a process, and never another one that has its id now."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        # What has the id while it is open is the process that is meant, and stays it.
        if start and start_of(str(pid)) == start:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def heartbeat(file: Path) -> None:
    """Say that somebody looks after what is kept."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
