"""From the bytes of a child to the lines of its log."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.projects.execution.output import LINE_BYTES, PIECE_BYTES, LogKeeper, LogWriter, Piece

MIB = 1024 * 1024
STAMP = "2026-11-30T06:40:58.123Z "
AT = 1_796_020_858_123


def writer(*, limit: int = MIB, **more: object) -> LogWriter:
    return LogWriter(limit=limit, clock=lambda: AT, **more)  # type: ignore[arg-type]


def pieces_of(log: LogWriter) -> list[Piece]:
    return list(iter(log.take, None))


def lines_of(pieces: Iterable[Piece]) -> list[str]:
    """The lines without their times, which all have to have."""
    lines = b"".join(piece.data for piece in pieces).decode().split("\n")
    assert lines.pop() == ""
    assert all(line.startswith(STAMP) for line in lines)
    return [line.removeprefix(STAMP) for line in lines]


def logged(*data: bytes, **more: object) -> list[str]:
    log = writer(**more)  # type: ignore[arg-type]
    for each in data:
        log.feed(each)
    log.end()
    return lines_of(pieces_of(log))


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"no end", ["no end"]),
        (b"\n\n", ["", ""]),
        (b"windows\r\nlines\r\n", ["windows", "lines"]),
        (b"\r 10%\r 55%\r100%\ndone\n", ["100%", "done"]),
        (b"10%\r100%\r\n", ["100%"]),
        (b"10%\r\r\r\n", ["10%"]),
        (b"10%\r100%\r", ["100%"]),
        ("Schiff läuft 起飞\n".encode(), ["Schiff läuft 起飞"]),
        (b"broken \xff\xe8\xb5 end\n", ["broken \ufffd\ufffd end"]),
        (b"nul \x00 bell \x07 del \x7f tab\t\n", ["nul ␀ bell ␇ del ␡ tab\t"]),
        (b"\x1b[1;31mred\x1b[0m\n", ["\x1b[1;31mred\x1b[0m"]),
        (b"\x1b[2K\x1b[1Aup \x1b[?25l\x1b7\n", ["up "]),
        (b"\x1b]0;a title\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
        (b"lone \x1b\x1b[2K\n", ["lone ␛"]),
        (b"\x1b]never ends\n", ["never ends"]),
        ("next\u0085line \u2028 and \u2029 end\n".encode(), ["next\ufffdline   and   end"]),
    ],
)
def test_lines(output: bytes, lines: list[str]) -> None:
    assert logged(output) == lines


def test_each_line_has_the_time_that_it_came() -> None:
    times = iter([AT, AT + 60_000])
    log = LogWriter(limit=MIB, clock=lambda: next(times))
    log.feed(b"one\ntw")
    log.feed(b"o\n")
    [piece] = pieces_of(log)
    assert piece.data == b"2026-11-30T06:40:58.123Z one\n2026-11-30T06:41:58.123Z two\n"


def test_a_long_line_is_kept_as_several() -> None:
    parts = logged(b"x" * (2 * LINE_BYTES + 5) + b"\nshort\n")
    assert [len(part) for part in parts] == [LINE_BYTES, LINE_BYTES, 5, 5]


def test_no_character_is_cut_where_a_long_line_is() -> None:
    parts = logged(("x" + "起" * LINE_BYTES).encode())
    assert "".join(parts) == "x" + "起" * LINE_BYTES
    assert "\ufffd" not in "".join(parts)


PARTS = st.sampled_from(
    (
        *(b"a", b"word ", b"\n", b"\r", b"\r\n", b"\x00", b"\x1b[31m", b"\x1b[2K", b"\x1b", b"[", "起".encode()),
        *(b"hunter2-secret", b"hunter2", b"-secret", b"y" * 700, b"\xe8", b"\xb5\xb7", b"\xff"),
    )
)


@given(st.lists(PARTS, max_size=60), st.data())
def test_how_the_output_is_cut_makes_no_difference(parts: list[bytes], data: st.DataObject) -> None:
    output = b"".join(parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=20)))
    cuts = [output[start:end] for start, end in zip([0, *places], [*places, len(output)], strict=True)]
    secrets = ["hunter2-secret"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.projects.execution.output.LINE_BYTES", 1000)
        whole = logged(output, secrets=secrets)
        assert logged(*cuts, secrets=secrets) == whole
    assert "hunter2-secret" not in "".join(whole)


@given(st.lists(PARTS, max_size=60), st.integers(30, 3000))
def test_the_limit_is_where_it_is_however_it_comes(parts: Sequence[bytes], limit: int) -> None:
    def kept(data: Iterable[bytes]) -> list[str]:
        log = writer(limit=limit)
        for each in data:
            log.feed(each)
        return lines_of(pieces_of(log))

    output = b"".join(parts) + b"\n"
    assert kept([output]) == kept([output[at : at + 1] for at in range(len(output))])


def test_the_limit_is_a_clear_line_and_what_comes_after_is_counted() -> None:
    log = writer(limit=2 * MIB)
    log.feed(b"x" * 1000 + b"\n")
    while not log.is_cut:
        log.feed(b"0123456789\n" * 10_000)
    dropped = log.dropped
    log.feed(b"more\n" * 1000)
    log.say("The command ended with 1.")
    log.end()
    pieces = pieces_of(log)
    lines = lines_of(pieces)
    assert log.dropped == 0
    assert lines[-3:] == [
        "[slipway] The log has reached its limit of 2 MB; what comes after is not kept.",
        "[slipway] The command ended with 1.",
        f"[slipway] {dropped + 5000:,} bytes more came and were not kept.",
    ]
    kept = sum(len(STAMP) + len(line) + 1 for line in lines[:-3])
    assert 2 * MIB - len(STAMP) - 11 <= kept <= 2 * MIB
    assert (pieces[-1].is_cut, pieces[-1].tail) == (True, "")


def test_a_later_attempt_goes_on_where_the_log_ended() -> None:
    log = writer(start=100)
    log.feed(b"again\n")
    assert [(piece.start, piece.lines) for piece in pieces_of(log)] == [(100, 1)]
    full = writer(start=MIB, is_cut=True)
    full.say("Attempt 2.")
    full.feed(b"again\n" * 10)
    assert lines_of(pieces_of(full)) == ["[slipway] Attempt 2."]
    assert full.dropped == 60


def test_what_the_worker_says_comes_line_by_line_beside_what_is_unfinished() -> None:
    log = writer(secrets=["hunter2-secret"])
    log.feed(b"half ")
    log.say("Stopping.\nIt is hunter2-secret.")
    log.feed(b"a line\n")
    assert lines_of(pieces_of(log)) == ["[slipway] Stopping.", "[slipway] It is ***.", "half a line"]


def test_the_line_that_is_being_written_is_told_apart() -> None:
    log = writer()
    log.feed(b"done\n\x1b[32m 10%\r\x1b[32m 42%\x1b[0m |\x07|\r")
    [piece] = pieces_of(log)
    assert (piece.lines, piece.tail) == (1, " 42% |␇|")
    assert log.take() is None
    log.feed(b"\r 43%")
    [piece] = pieces_of(log)
    assert (piece.data, piece.start, piece.tail) == (b"", len(STAMP) + 5, " 43%")
    log.feed(b"x" * 600)
    assert log.tail == " 43%" + "x" * 496


def test_pieces_are_of_bounded_size_and_of_whole_lines() -> None:
    log = writer(limit=64 * MIB)
    log.feed(b"\n" * 100_000)
    pieces = pieces_of(log)
    assert all(len(piece.data) <= PIECE_BYTES and piece.data.endswith(b"\n") for piece in pieces)
    assert [piece.start for piece in pieces[1:]] == [piece.start + len(piece.data) for piece in pieces[:-1]]
    assert sum(piece.lines for piece in pieces) == 100_000


@pytest.mark.parametrize(
    "block",
    [
        b"epoch 12 loss 0.1234 accuracy 0.98 and some words more\n" * 1200,
        b"\r 10%|####      | 1/10 [00:01<00:09]" * 1700,
        b"x" * 65_536,
        b"\x1b[32mINFO\x1b[0m epoch 12\n" * 2500,
    ],
    ids=["lines", "bars", "one line", "colours"],
)
def test_a_flood_takes_no_memory(block: bytes) -> None:
    log = writer(limit=4 * MIB, secrets=["hunter2-secret", "another one"])
    tracemalloc.start()
    try:
        for _ in range(200 * MIB // len(block) // (40 if block.startswith(b"\r") else 1)):
            log.feed(block)
            while log.waiting >= 65_536:
                log.take()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * MIB


def test_a_gigabyte_is_drained() -> None:
    """Most of it costs nothing, so this is quick or fails by the clock of CI."""
    log, block = writer(limit=8 * MIB), b"0123456789abcdef" * 4095 + b"\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = kept = 0
    while sent < 1024 * MIB:
        log.feed(block)
        sent += len(block)
        kept += sum(len(piece.data) for piece in pieces_of(log))
    log.end()
    assert kept + log.waiting <= 8 * MIB + 300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_keeper_stores_what_is_due() -> None:
    clock, stored = Clock(), list[Piece]()
    keeper = LogKeeper(writer(), stored.append, clock)
    keeper.feed(b"at once\n")
    keeper.feed(b"waits\n")
    assert lines_of(stored) == ["at once"]
    keeper.store_due()
    assert len(stored) == 1
    clock.now += LogKeeper.SECONDS
    keeper.store_due()
    assert lines_of(stored) == ["at once", "waits"]
    keeper.feed(b"0123456789\n" * 10_000)
    assert sum(piece.lines for piece in stored) == 10_002
    keeper.feed(b"the rest")
    keeper.end()
    assert lines_of(stored)[-1] == "the rest"


def test_storing_that_fails_is_tried_again_with_the_same() -> None:
    stored: list[Piece] = []
    fails = [True]

    def store(piece: Piece) -> None:
        if fails.pop() if fails else False:
            raise OSError("away")
        stored.append(piece)

    keeper = LogKeeper(writer(), store)
    with pytest.raises(OSError, match="away"):
        keeper.feed(b"one\n")
    keeper.say("two")
    keeper.end()
    assert lines_of(stored) == ["one", "[slipway] two"]
