"""The folder of an attempt: its files, gone when it has ended."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings

from apps.projects.models import ProjectRun
from apps.runtime.process.identity import is_gone, this_process

_STALE_SECONDS = 60


@contextmanager
def room_of(run: ProjectRun, is_hurried: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """An empty folder, with `work` in it for the command, while the block runs.

    Who `is_hurried` then does not wait until it is gone: a half-built environment in it takes seconds, in which a
    worker that is stopped has to say that others may have its run. What that leaves is removed by `clean_rooms`.
    """
    root: Path = settings.DATA.runs
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    room = Path(mkdtemp(prefix=f"{socket.gethostname()}-{this_process()}-{run.pk}-", dir=root))
    (room / "work").mkdir(mode=0o700)
    try:
        yield room
    finally:
        if is_hurried():
            threading.Thread(target=remove, args=(room,), name="slipway remove", daemon=True).start()
        else:
            remove(room)


def clean_rooms() -> int:
    """Remove what workers of this host left who died; how many rooms that were."""
    count = 0
    root: Path = settings.DATA.runs
    for room in root.glob("*-*-*-*") if root.is_dir() else ():
        host, process, _, _ = room.name.rsplit("-", 3)
        with suppress(OSError):
            is_old = time.time() - room.stat().st_mtime > _STALE_SECONDS
            if host == socket.gethostname() and is_old and is_gone(process):
                remove(room)
                count += 1
    return count


def remove(room: Path) -> None:
    """Remove a folder whatever its modes: a run may have taken the right to write from its own."""
    for parent, folders, _ in os.walk(room):
        for name in folders:
            with suppress(OSError):
                place = Path(parent, name)
                if not place.is_symlink():
                    place.chmod(0o700)
    shutil.rmtree(room, ignore_errors=True)
