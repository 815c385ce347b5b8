"""Connecting to the socket that an instance listens on, and to no other one that it may lead to instead."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FOLLOWS_NOTHING = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC if sys.platform == "linux" else 0


@contextmanager
def not_through_links(path: str) -> Iterator[str]:
    """A path to connect to while the block runs: that of the very socket which lies at `path` now.

    A container that shares the folder of its socket with its host can lay a link there, also a moment after it was
    looked at; the kernel would follow it to whatever it names on the host, with our rights. Raises `OSError`.
    """
    if not _FOLLOWS_NOTHING:
        yield path
        return
    number = os.open(path, _FOLLOWS_NOTHING)
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(errno.ENOTSOCK, "no socket", path)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
