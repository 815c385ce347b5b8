"""Small files on their way from and to a store, several at once where each costs a way there and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from slipway.backup.stores import FileStore, Found, Opened

# Larger ones go alone, piece by piece.
_SMALL = 4 * 1024 * 1024


def opened(files: FileStore, wanted: Iterable[Found]) -> Iterator[Opened]:
    """Those of `wanted` that are still there, in their order."""
    with ThreadPoolExecutor(files.at_once, "fetching") as threads:
        waiting: deque[Found | Future[Opened | None]] = deque()
        for found in wanted:
            is_small = files.at_once > 1 and found.size <= _SMALL
            waiting.append(threads.submit(_fetch, files, found.path) if is_small else found)
            if len(waiting) >= 2 * files.at_once:
                yield from _arrived(files, waiting.popleft())
        while waiting:
            yield from _arrived(files, waiting.popleft())


class Sending:
    """Writes to a store. Who leaves the block without an error has everything there."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._threads = ThreadPoolExecutor(files.at_once, "sending")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            while kind is None and self._waiting:
                self._waiting.popleft().result()
        finally:
            self._threads.shutdown(cancel_futures=True)

    def write(self, path: str, pieces: Iterable[bytes], found: Found) -> None:
        """Put a file in its place, at once or soon. `pieces` are read now."""
        if self._files.at_once == 1 or found.size > _SMALL:
            self._files.write(path, pieces, found)
            return
        self._waiting.append(self._threads.submit(self._files.write, path, [b"".join(pieces)], found))
        if len(self._waiting) >= 2 * self._files.at_once:
            self._waiting.popleft().result()


def _fetch(files: FileStore, path: str) -> Opened | None:
    found = files.open(path)
    return Opened(found.found, iter([b"".join(found.pieces)])) if found else None


def _arrived(files: FileStore, waiting: Found | Future[Opened | None]) -> Iterator[Opened]:
    found = files.open(waiting.path) if isinstance(waiting, Found) else waiting.result()
    if found is not None:
        yield found
