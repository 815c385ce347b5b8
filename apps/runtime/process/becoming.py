"""From a fork to a stranger's command: its groups, limits and arguments. For the guardian and the keeper."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn
if TYPE_CHECKING or __package__:
    from apps.runtime.process.tree import put, try_to_put
else:
    # Whose program it is has put this file's folder on the path.
    from tree import put, try_to_put

PDEATHSIG, SUBREAPER, NO_NEW_PRIVILEGES = 1, 36, 38
_RESTRICT_SELF = 446
_CANT_START = 127


def started(wanted: dict[str, Any], closing: Iterable[int]) -> int:
    """The process id of the command, which has its own session and dies when this process does.

    `closing` are open files that it must not have. Where it can't be started it says so on its error output.
    """
    pid = os.fork()
    if not pid:
        try:
            _become(wanted, closing)
        except BaseException as error:  # noqa: BLE001
            os.write(2, f"[slipway] The command can't be started: {error}\n".encode())
            os._exit(_CANT_START)
    return pid


def _become(wanted: dict[str, Any], closing: Iterable[int]) -> NoReturn:
    prctl(PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    for each in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()
    # Where the host runs out of memory, it is this that goes, and not the database beside it.
    try_to_put("/proc/self/oom_score_adj", "1000")
    for group in wanted["groups"]:
        put(f"{group}/cgroup.procs", "0")
    for number in closing:
        os.close(number)
    to_null(0)
    for name, most in wanted["limits"].items():
        _limit(getattr(resource, name), most)
    argv = [*wanted["argv"]]
    if wanted["arguments"]:
        # Not on the command line, which others can read: there are secrets among them.
        argv[1:1] = ["--args", str(_file_of("\0".join(wanted["arguments"])))]
    if wanted["closed"] is not None:
        prctl(NO_NEW_PRIVILEGES, 1)
        if ctypes.CDLL(None).syscall(_RESTRICT_SELF, wanted["closed"], 0):
            raise OSError("ports can't be closed to it")
        os.close(wanted["closed"])
    os.chdir(wanted["folder"])
    os.umask(0o077)
    os.execve(argv[0], argv, wanted["variables"])  # noqa: S606


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (value, value))


def _file_of(text: str) -> int:
    file = os.memfd_create("arguments", 0)
    os.write(file, text.encode() + b"\0")
    os.lseek(file, 0, os.SEEK_SET)
    return file


def to_null(number: int) -> None:
    """Let an open file's number lead nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, number)
    if null != number:
        os.close(null)


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def message() -> bytes:
    """What the starter wrote to the standard input: four bytes of length, then that much. Ends where it died before."""
    size = int.from_bytes(_exactly(4), "big")
    return _exactly(size)


def _exactly(size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            raise SystemExit(1)
        data += more
    return data
