"""Following a run from a terminal: no line twice, none missing, whatever happens to the connection."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from apps.projects.running.following import Follower, exit_code_of, follow_to_end, told
from apps.projects.running.server import Server
from tests.projects.faulty import FAULTS, FaultyServer, faulty

STAMP = "2026-11-30T06:40:58.123Z "
LINES = [f"line {number} {'x' * (number % 7)}" for number in range(20)]
LOG = "".join(f"{STAMP}{line}\n" for line in LINES).encode()
PLAIN = "".join(f"{line}\n" for line in LINES).encode()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.projects.running.server.time.sleep", lambda seconds: None)


def written(source: FaultyServer, *, stamped: bool = False) -> bytes:
    out, server = io.BytesIO(), Server(source.url, {})
    # Who follows a run has started it, or asked for it: the server was there.
    server.run("1")
    Follower(server, "1", out, lambda line: None, stamped=stamped).follow()
    return out.getvalue()


@settings(max_examples=15, deadline=None)
@given(faults=st.lists(st.sampled_from((*FAULTS, None)), max_size=8), step=st.integers(60, 900))
def test_each_line_comes_once(faults: list[str | None], step: int) -> None:
    with faulty(LOG, faults=list(faults), step=step) as source:
        assert written(source) == PLAIN


def test_with_times() -> None:
    with faulty(LOG, step=100) as source:
        assert written(source, stamped=True) == LOG


def test_a_line_without_an_end_is_written_too() -> None:
    with faulty(LOG + b"no end") as source:
        assert written(source) == PLAIN + b"no end"


def test_it_says_that_the_server_is_away_and_back() -> None:
    with faulty(LOG, faults=[None, "closed", "closed", "503"], step=200) as source:
        said: list[str] = []
        Follower(Server(source.url, {}, said.append), "1", io.BytesIO(), said.append).follow()
    assert [line.removeprefix(source.url) for line in said] == [
        " does not answer (ProtocolError); trying again …",
        " answers again.",
    ]


def test_a_server_that_was_never_there_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 2))
    monkeypatch.setattr("apps.projects.running.server.time.monotonic", lambda: next(now))
    with pytest.raises(Unavailable, match="Is MLFLOW_TRACKING_URI right"):
        Server("http://127.0.0.1:9", {}).run("1")


def test_what_the_server_refuses() -> None:
    with faulty(b"", run={}) as source, pytest.raises(InvalidInput, match="no number of a project run"):
        Server(source.url, {}).run("../x")
    with pytest.raises(InvalidInput, match="http://"):
        Server("databricks", {})


@pytest.mark.parametrize(
    ("run", "code"),
    [
        ({"state": "finished", "exit_code": 0}, 0),
        ({"state": "failed", "exit_code": 7}, 7),
        ({"state": "failed", "exit_code": None}, 1),
        ({"state": "failed", "exit_code": 0}, 1),
        ({"state": "failed", "exit_code": -9}, 137),
        ({"state": "lost", "exit_code": None}, 1),
        ({"state": "cancelled", "exit_code": -15}, 130),
    ],
)
def test_the_exit_code(run: dict[str, Any], code: int) -> None:
    assert exit_code_of(run) == code


def test_how_it_ended_in_words() -> None:
    run = {"id": "3", "state": "failed", "message": "The command ended with 7."}
    assert told(run) == "Run 3 failed: The command ended with 7."
    assert told(run | {"message": ""}) == "Run 3 failed."
    assert told(run | {"state": "lost", "message": "Its worker died."}) == "Run 3 was lost: Its worker died."
    cancelled = run | {"state": "cancelled", "message": "Cancelled by ada: wrong rate."}
    assert told(cancelled) == "Run 3 was cancelled by ada: wrong rate."


class Interrupted:
    """A follower at whose side somebody presses Ctrl-C so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def follow(self) -> dict[str, Any]:
        if self.times:
            self.times -= 1
            raise KeyboardInterrupt
        return {"state": "cancelled"}


class TestInterrupts:
    def test_it_is_cancelled_and_followed_to_the_end(self) -> None:
        assert self.left(1, lambda: True) == ({"state": "cancelled"}, 1)

    def test_it_is_left_running(self) -> None:
        assert self.left(1, lambda: False) == (None, 0)

    def test_the_second_one_leaves(self) -> None:
        assert self.left(2, lambda: True) == (None, 1)

    def test_one_while_it_asks_leaves(self) -> None:
        def ask() -> bool:
            raise KeyboardInterrupt

        assert self.left(1, ask) == (None, 0)

    @staticmethod
    def left(times: int, ask: Callable[[], bool]) -> tuple[Any, int]:
        """What became of it, and how often it was cancelled."""
        cancelled: list[None] = []
        follower: Any = Interrupted(times)
        return follow_to_end(follower, ask, lambda: cancelled.append(None)), len(cancelled)


def test_cancelling_says_why() -> None:
    with faulty(LOG) as source:
        Server(source.url, {}).cancel("1", "Enough.")
        assert source.cancelled == ["Enough."]


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (409, Conflict), (400, InvalidInput), (413, InvalidInput)]
)
def test_refusals_by_status(status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        def __init__(self) -> None:
            self.status = status

        def json(self) -> Any:
            return {"message": "No."}

    server = Server("http://x", {})
    monkeypatch.setattr(server, "_pool", type("Pool", (), {"request": lambda *_, **__: Answer()})())
    with pytest.raises(kind, match="No"):
        server.run("1")
