"""The open page of a run: what its socket says, and what it is answered where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import consumers
from apps.accounts.models import Membership
from apps.projects import actions, live
from apps.projects.models import ProjectRun, RunState
from apps.projects.selectors import log_news
from apps.projects.selectors.logs import stream_log
from tests.experiments.live.sockets import Socket
from tests.personas import People
from tests.projects.logs.made import STAMP, append, end, fetched, make_project_run


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels closes connections around each use, and with them the transaction that a test runs in."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


@pytest.fixture
def run(people: People) -> ProjectRun:
    return make_project_run(people.ada)


def path_of(run: ProjectRun) -> str:
    return f"/ws/project-runs/{run.pk}/"


async def push(run: ProjectRun) -> None:
    """What the thread of a worker does a moment after it committed."""
    live.touch(run.pk, "log")
    await live.pushes.deliver(live.messages_of(live.pushes.take()))


@async_to_sync
async def handshake(socket: Socket) -> bool:
    async with socket:
        return socket.accepted


def whole(run: ProjectRun) -> str:
    return b"".join(stream_log(fetched(run))).decode()


def test_it_says_the_state_then_what_is_written_as_it_comes(people: People, run: ProjectRun) -> None:
    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, path_of(run)) as socket:
            heard = [await socket.hears()]
            await socket.says({"have": 0})
            await sync_to_async(append)(run, "one", "zwei €", tail="10%")
            await push(run)
            heard.append(await socket.hears())
            await socket.says({"have": heard[-1]["log"]["next"]})
            await sync_to_async(append)(run, tail="20%")
            await push(run)
            heard.append(await socket.hears())
            await sync_to_async(append)(run, "three")
            await push(run)
            return [*heard, await socket.hears()]

    state, first, tail, second = page()
    assert state["run"].items() >= {"state": "running", "is_active": True, "attempt": 1, "exit_code": None}.items()
    assert first["log"]["text"] == f"{STAMP.decode()}one\n{STAMP.decode()}zwei €\n"
    assert (first["log"]["start"], first["tail"]) == (0, "10%")
    assert tail == {"tail": "20%"}
    text = f"{STAMP.decode()}three\n"
    start = first["log"]["next"]
    assert second == {"log": {"start": start, "next": start + len(text), "text": text}, "tail": ""}


def test_it_says_how_it_ended_and_that_no_more_comes(people: People, run: ProjectRun) -> None:
    append(run, "one", tail="99%")

    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.ben, path_of(run)) as socket:
            heard = [await socket.hears()]
            await sync_to_async(end)(run, RunState.FAILED)
            await push(run)
            heard.append(await socket.hears())
            await socket.says({"have": 0})
            return [*heard, await socket.hears()]

    _, ended, log = page()
    assert ended["run"].items() >= {"state": "failed", "is_active": False, "ended_ms": 2, "exit_code": 0}.items()
    assert ended["tail"] == ""
    assert (log["log"]["text"], log["complete"]) == (f"{STAMP.decode()}one\n", True)


@pytest.mark.parametrize("is_stored", [False, True])
def test_it_catches_up_piece_by_piece_as_the_page_takes_them(
    people: People, run: ProjectRun, is_stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_news, "PIECE_BYTES", 300)
    for number in range(30):
        append(run, f"line {number}", "€" * number)
    log = whole(run)
    if is_stored:
        actions.store_log(run=end(run))

    @async_to_sync
    async def page() -> list[str]:
        async with Socket(people.ben, path_of(run)) as socket:
            await socket.hears()
            pieces, have = [], 0
            while have < len(log.encode()):
                await socket.says({"have": have})
                piece = (await socket.hears())["log"]
                assert piece["start"] == have
                pieces.append(piece["text"])
                have = piece["next"]
                # It isn't told the next before it says that it has this one.
                await push(run)
            return pieces

    pieces = page()
    assert "".join(pieces) == log
    assert max(len(piece.encode()) for piece in pieces) <= 300


def test_a_page_that_is_far_behind_is_given_the_end(
    people: People, run: ProjectRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_news, "MOST_BEHIND_BYTES", 2000)
    monkeypatch.setattr(log_news, "SHOWN_BYTES", 500)
    append(run, *(f"line {number}" for number in range(1, 101)))

    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, path_of(run)) as socket:
            await socket.hears()
            await socket.says({"have": 40})
            return (await socket.hears())["log"]

    part = page()
    assert part["next"] == len(whole(run))
    assert whole(run).endswith(part["text"])
    assert 400 < len(part["text"]) <= 500
    assert part["text"].splitlines()[0].endswith(f" line {part['line']}")


def test_only_pages_that_watch_are_told(people: People, run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Layer:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            told.append(group)

    @async_to_sync
    async def pages() -> None:
        await push(run)
        assert told == []
        async with Socket(people.vera, path_of(run)) as socket:
            await socket.hears()
            await push(run)

    other = make_project_run(people.ada)
    live.touch(other.pk, "run")
    monkeypatch.setattr("apps.core.live.get_channel_layer", Layer)
    pages()
    assert told == [live.run_group(run.pk)]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_a_page_of_another_site_is_refused(people: People, run: ProjectRun, origin: str | None) -> None:
    assert not handshake(Socket(people.ada, path_of(run), origin=origin))


def test_nobody_outsiders_and_what_is_not_there_are_refused(people: People, run: ProjectRun) -> None:
    assert not handshake(Socket(None, path_of(run)))
    assert not handshake(Socket(people.cleo, path_of(run)))
    assert not handshake(Socket(people.ada, f"/ws/project-runs/{run.pk + 1}/"))
    assert not handshake(Socket(people.ada, "/ws/project-runs/99999999999999999999/"))
    assert handshake(Socket(people.root, path_of(run)))


def test_it_closes_when_the_right_is_withdrawn(people: People, run: ProjectRun) -> None:
    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, path_of(run)) as socket:
            await socket.hears()
            await socket.says({"have": 0})
            await sync_to_async(Membership.objects.filter(user=people.vera.user).delete)()
            await sync_to_async(append)(run, "not for her")
            await push(run)
            return [await socket.hears(), await socket.hears()]

    assert page() == [{"gone": True}, consumers.CLOSED_NO_RIGHT]


def test_it_closes_by_itself_when_the_session_ends(
    people: People, run: ProjectRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.01)

    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, path_of(run)) as socket:
            await socket.hears()
            await sync_to_async(Session.objects.filter(session_key=socket.session_key).delete)()
            return [await socket.hears(), await socket.hears()]

    assert page() == [{"gone": True}, consumers.CLOSED_NO_RIGHT]


@pytest.mark.parametrize("message", [[1], {"have": -1}, {"have": "0"}, {"have": 2**60}, {"want": 1}, "x", None])
def test_messages_that_mean_nothing_change_nothing(people: People, run: ProjectRun, message: Any) -> None:
    append(run, "one")

    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, path_of(run)) as socket:
            await socket.hears()
            await socket.says(message)
            await sync_to_async(append)(run, tail="10%")
            await push(run)
            return await socket.hears()

    assert page() == {"tail": "10%"}


def test_a_large_message_closes(people: People, run: ProjectRun) -> None:
    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, path_of(run)) as socket:
            await socket.hears()
            await socket.says("x" * 2000)
            return await socket.hears()

    assert page() == consumers.CLOSED_TOO_LARGE


def test_a_push_costs_so_many_statements(people: People, run: ProjectRun) -> None:
    for number in range(50):
        append(run, *["x"] * number)

    @async_to_sync
    async def page() -> int:
        async with Socket(people.ben, path_of(run)) as socket:
            await socket.hears()
            captured = CaptureQueriesContext(connection)
            await sync_to_async(captured.__enter__)()
            await socket.says({"have": 100})
            await socket.hears()
            return await sync_to_async(lambda: len(captured))()

    # Session, person, roles, grants; run; pieces.
    assert page() == 5


def get(client: Client, run: ProjectRun, **query: Any) -> Any:
    return client.get(f"/project-runs/{run.pk}/log/", query)


def test_the_whole_log_as_text_and_as_a_file(people: People, run: ProjectRun) -> None:
    for number in range(100):
        append(run, f"\x1b[31mline {number}\x1b[0m <script>")
    for _ in range(2):
        answer = get(people.vera.browser(), run)
        assert answer.getvalue().decode() == whole(run)
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert (answer["X-Content-Type-Options"], answer["Content-Disposition"]) == (
            "nosniff",
            f'inline; filename="iris-{run.pk}.log"',
        )
        named = get(people.vera.browser(), run, download="1")["Content-Disposition"]
        assert named == f'attachment; filename="iris-{run.pk}.log"'
        actions.store_log(run=end(run))


def test_who_has_no_socket_asks(people: People, run: ProjectRun) -> None:
    append(run, "one", "two", tail="10%")
    browser = people.vera.browser()
    news = get(browser, run, offset="29").json()
    assert (news["run"]["state"], news["tail"]) == ("running", "10%")
    assert news["log"] == {"start": 29, "next": 58, "text": f"{STAMP.decode()}two\n"}
    assert "log" not in get(browser, run, offset="58").json()
    end(run)
    assert get(browser, run, offset="58").json()["complete"]
    before = get(browser, run, before="58").json()
    assert before == {"log": {"start": 0, "next": 58, "text": whole(run)}}
    for wrong in ("-1", "x", "9" * 30, "\x00"):
        assert get(browser, run, offset=wrong).json()["log"]["start"] == 0
        assert get(browser, run, before=wrong).json()["log"] == {"start": 0, "next": 0, "text": ""}


def test_who_may_not_see_the_run_sees_no_log(people: People, run: ProjectRun) -> None:
    assert get(people.cleo.browser(), run).status_code == 404
    assert get(people.cleo.browser(), run, offset="0").status_code == 404
    assert get(Client(), run).status_code == 302
    assert people.ada.browser().post(f"/project-runs/{run.pk}/log/").status_code == 405
    assert get(people.ada.browser(), run, offset="0").status_code == 200
    run.pk += 1
    assert get(people.ada.browser(), run).status_code == 404


def test_the_page_begins_with_the_end_of_the_log(
    people: People, run: ProjectRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_news, "SHOWN_BYTES", 500)
    append(run, *(f"\x1b[1mline\x1b[0m {number} <b>" for number in range(1, 101)), tail="10% <i>")
    page = people.vera.browser().get(f"/project-runs/{run.pk}/").content.decode()
    assert "Lines 1 to 89 are not shown." in page
    plain = page.partition('<pre class="log-plain">')[2].partition("</pre>")[0]
    assert plain.startswith(f"{STAMP.decode()}line 90 &lt;b&gt;\n")
    assert plain.count("\n") == 11
    assert "10% &lt;i&gt;" in page
    assert "\\u003Cb\\u003E" in page
    assert "\x1b" not in page


@pytest.mark.parametrize(
    ("state", "words"), [(RunState.QUEUED, "Nothing was written yet."), (RunState.CANCELLED, "It wrote nothing.")]
)
def test_a_page_without_a_log_says_so(people: People, state: RunState, words: str) -> None:
    run = make_project_run(people.ada, state=state)
    assert words in people.vera.browser().get(f"/project-runs/{run.pk}/").content.decode()
