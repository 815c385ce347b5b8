"""The output of a run's child, as bytes from its pipe, made a log: stamped lines, masked and bounded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apps.projects.execution.log_text import Mask, clean, fold, readable, without_colours

# Longer lines are kept as several.
LINE_BYTES = 16 * 1024
# A piece is no larger, but for one line.
PIECE_BYTES = 256 * 1024
TAIL_CHARACTERS = 500
# What the worker itself says is kept beyond the limit, up to this.
_SAID_BYTES = 64 * 1024
_STEP_BYTES = 256 * 1024
_MIB = 1024 * 1024


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be kept next: whole lines from byte `start` of the log, and the line that is being written."""

    start: int
    data: bytes
    lines: int
    tail: str
    is_cut: bool


class LogWriter:
    """Takes what a child writes and gives pieces of a log. Its memory doesn't grow with what comes.

    `start` and `is_cut` are where the log of earlier attempts ended; `limit` is in bytes, of all attempts together.
    Not for several threads at once.
    """

    def __init__(
        self,
        *,
        limit: int,
        start: int = 0,
        is_cut: bool = False,
        secrets: Iterable[str] = (),
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.is_cut = is_cut
        # How many bytes came after the limit.
        self.dropped = 0
        self._limit, self._clock, self._mask = limit, clock, Mask(secrets)
        self._longest = LINE_BYTES + self._mask.longest
        self._start = start
        self._pending = bytearray()
        # What came since the last line's end, less what was overwritten.
        self._open = b""
        self._told_tail = ""

    @property
    def waiting(self) -> int:
        """How many bytes wait to be taken."""
        return len(self._pending)

    @property
    def tail(self) -> str:
        """The line that is being written, without colours; at most 500 characters."""
        text = self._mask.hide(clean(readable(self._open.rstrip(b"\r"))))
        shown = self._mask.without_a_beginning(without_colours(text)).decode(errors="ignore")
        return shown[:TAIL_CHARACTERS]

    def feed(self, data: bytes) -> None:
        """The next bytes, of any size and cut anywhere."""
        for start in range(0, len(data), _STEP_BYTES):
            if self.is_cut:
                self.dropped += len(data) - start
                return
            self._feed(data[start : start + _STEP_BYTES])

    def say(self, text: str) -> None:
        """Lines of the worker's own, after those that are whole: `[slipway] text`. Kept beyond the limit too."""
        lines = text.encode(errors="replace").splitlines() or [b""]
        said = self._stamped(b"".join(b"[slipway] " + line + b"\n" for line in lines))
        if self._start + len(self._pending) + len(said) <= self._limit + _SAID_BYTES:
            self._pending += said

    def end(self) -> None:
        """No more comes: what is left is a line too, and what wasn't kept is told."""
        line, self._open = self._open.rstrip(b"\r"), b""
        if line:
            self._keep(line + b"\n")
        if self.dropped:
            self.say(f"{self.dropped:,} bytes more came and were not kept.")
            self.dropped = 0

    def take(self) -> Piece | None:
        """What is to be kept next, None where nothing is new. More may wait."""
        tail = "" if self.is_cut else self.tail
        if not self._pending and tail == self._told_tail:
            return None
        data = bytes(self._pending[: self._end_of_piece()])
        del self._pending[: len(data)]
        piece = Piece(self._start, data, data.count(b"\n"), tail, self.is_cut)
        self._start, self._told_tail = self._start + len(data), tail
        return piece

    def _end_of_piece(self) -> int:
        if len(self._pending) <= PIECE_BYTES:
            return len(self._pending)
        last = self._pending.rfind(b"\n", 0, PIECE_BYTES)
        return (self._pending.find(b"\n") if last < 0 else last) + 1

    def _feed(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            block, self._open = self._open + data[:end], b""
            self._keep(fold(block) if self._is_short(block) else b"".join(self._cut_lines(block)))
        if not self.is_cut:
            lines, self._open = self._cut(self._open + data[end:])
            if lines:
                self._keep(b"".join(lines))

    def _is_short(self, block: bytes) -> bool:
        return len(block) <= self._longest or max(map(len, block.split(b"\n"))) <= self._longest

    def _cut_lines(self, block: bytes) -> Iterator[bytes]:
        for line in block.split(b"\n")[:-1]:
            pieces, rest = self._cut(line)
            yield from pieces
            yield rest.rstrip(b"\r") + b"\n"

    def _cut(self, line: bytes) -> tuple[list[bytes], bytes]:
        """Of a line up to here: the pieces that are too long to wait, each a line, and what is left of it."""
        pieces: list[bytes] = []
        rest = b""
        for rest in filter(None, line.split(b"\r")):
            while len(rest) > self._longest:
                end = self._mask.end_at(rest, _whole_character(rest, LINE_BYTES))
                pieces.append(rest[:end] + b"\n")
                rest = rest[end:]
        return pieces, rest + (b"\r" if line.endswith(b"\r") else b"")

    def _keep(self, block: bytes) -> None:
        stamped = self._stamped(block)
        room = self._limit - self._start - len(self._pending)
        if len(stamped) <= room:
            self._pending += stamped
            return
        whole = stamped.rfind(b"\n", 0, max(0, room)) + 1
        self._pending += stamped[:whole]
        self.is_cut, self.dropped, self._open = True, len(stamped) - whole, b""
        self.say(f"The log has reached its limit of {self._limit // _MIB} MB; what comes after is not kept.")

    def _stamped(self, block: bytes) -> bytes:
        text = self._mask.hide(clean(readable(block)))
        stamp = _stamp(self._clock())
        return stamp + text[:-1].replace(b"\n", b"\n" + stamp) + b"\n"


class LogKeeper:
    """Has what a writer makes stored when it is due: after a quarter of a second, or when there is much of it.

    For several threads: one feeds, another may see to what is due while nothing comes. Storing that fails raises, and
    is tried again with the next call: nothing is lost by it.
    """

    SECONDS = 0.25
    BYTES = 64 * 1024

    def __init__(
        self, writer: LogWriter, store: Callable[[Piece], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer, self._store, self._monotonic = writer, store, monotonic
        self._lock = threading.RLock()
        self._piece: Piece | None = None
        self._stored_at = monotonic() - self.SECONDS

    def feed(self, data: bytes) -> None:
        """The child's next bytes."""
        with self._lock:
            self._writer.feed(data)
            self.store_due()

    def say(self, text: str) -> None:
        """A line of the worker's own."""
        with self._lock:
            self._writer.say(text)
            self.store_due()

    def store_due(self) -> None:
        """Store if it is time to."""
        with self._lock:
            if self._writer.waiting >= self.BYTES or self._monotonic() - self._stored_at >= self.SECONDS:
                self.store_all()

    def store_all(self) -> None:
        """Store what waits."""
        with self._lock:
            while piece := self._piece or self._writer.take():
                self._piece = piece
                self._store(piece)
                self._piece = None
            self._stored_at = self._monotonic()

    def end(self) -> None:
        """No more comes: store all of it."""
        with self._lock:
            self._writer.end()
            self.store_all()


def _stamp(ms: int) -> bytes:
    whole, rest = divmod(ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03}Z ".encode()


def _whole_character(text: bytes, at: int) -> int:
    """The place at or shortly before `at` where a character begins."""
    return next((place for place in range(at, at - 4, -1) if text[place] & 0xC0 != 0x80), at)
