"""What a process has started, and the ends of it. For the guardian, which loads no more than it must."""

# ruff: noqa: PTH208
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# How often it is looked whether all have ended.
LOOK_SECONDS = 0.01
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Its place in /proc/<pid>/stat after the name.
_THREADS = 17


def end_all(wanted: dict[str, Any], grace: float, wait: Callable[[], float | None]) -> None:
    """Ask all descendants to end, and after the grace kill them, until there are none."""
    deadline, is_asked = time.monotonic() + grace, not grace
    while _has_children() and (left := descendants()):
        if not is_asked:
            # The sandbox's own processes would take all others with them at once; those may only just begin.
            asked = [pid for pid, depth in left.items() if depth > wanted["wrappers"]]
            is_asked = bool(asked)
            for pid in asked:
                _signal(pid, signal.SIGTERM)
        if time.monotonic() >= deadline:
            _kill_all(wanted)
        shorter = wait()
        if shorter is not None:
            deadline = min(deadline, time.monotonic() + shorter)
    wait()


def _kill_all(wanted: dict[str, Any]) -> None:
    for group in wanted["groups"]:
        # Nobody forks any more; and where the kernel can, it kills all of the group itself.
        try_to_put(f"{group}/pids.max", "0")
        try_to_put(f"{group}/cgroup.kill", "1")
    found = sorted(descendants().items(), key=lambda item: item[1])
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid, depth in found:
            if number is signal.SIGKILL or depth > wanted["wrappers"]:
                _signal(pid, number)


def _has_children() -> bool:
    """Whether anybody is left at all. Who adopts all orphans of its own has no descendants where it has no children.

    It costs one call, where a look through /proc costs one for each process of the machine.
    """
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants() -> dict[int, int]:
    """Processes that this one's children, and theirs, have started and that still go on: how far down each is."""
    children: dict[int, list[int]] = {}
    for pid, parent in _living():
        children.setdefault(parent, []).append(pid)
    found: dict[int, int] = {}
    level, depth = children.get(os.getpid(), []), 1
    while level:
        found |= dict.fromkeys(level, depth)
        level, depth = [child for pid in level for child in children.get(pid, [])], depth + 1
    return found


def _living() -> list[tuple[int, int]]:
    """Process and parent of all that are no zombies."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            # The first thread of a process may have ended, and others go on.
            if fields and (fields[0] not in (b"Z", b"X") or int(fields[_THREADS]) > 1):
                found.append((int(name), int(fields[1])))
    return found


def memory() -> int:
    """Bytes of memory that all descendants together have."""
    resident = [_read(f"/proc/{pid}/statm").split()[1:2] for pid in descendants()]
    return sum(int(pages[0]) for pages in resident if pages) * _PAGE


def shared_out() -> int:
    """The same where what several have together is counted once: slower, and right for forks that share a model."""
    lines = [line for pid in descendants() for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"Pss:")) * 1024


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""
    finally:
        os.close(file)


def put(path: str, text: str) -> None:
    """Write to a file of the kernel's."""
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def try_to_put(path: str, text: str) -> None:
    try:
        put(path, text)
    except OSError:
        return


def reap_any() -> None:
    """Wait a little, and reap who has ended."""
    time.sleep(LOOK_SECONDS)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
