"""A command under a keeper: it outlives whoever started it, and nothing of it outlives its keeper."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from apps.core.errors import Unavailable
from apps.runtime.abilities import host as host_here
from apps.runtime.limits import Limits
from apps.runtime.process import Host
from apps.runtime.process.identity import start_of
from apps.runtime.process.keeping import LISTENING, end, ended_in, is_kept, kill_exactly, start, sweep
from apps.runtime.process.logbook import read_log
from tests.projects.execution.running import marked
from tests.runtime.keepers import LEVELS, Room, children_of, host_of
from tests.waiting import until

_STUBBORN = (
    "trap '' TERM; (setsid bash -c 'trap \"\" TERM; sleep {mark} & wait' &); echo up; while true; do sleep 0.1; done"
)
_STARTER = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from tests.runtime.keepers import Room, host_of
Room(Path(sys.argv[1]), host_of(sys.argv[2])).start(sys.argv[3])
print("started", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since sockets lie in it; whatever a test left running is ended."""
    with TemporaryDirectory(prefix="slipway-") as name:
        yield Path(name)
        end(Path(name), Path(name, "control"), 0)
        until(lambda: not is_kept(Path(name)))
        until(lambda: sweep(Path(name)))


@pytest.fixture
def room(folder: Path) -> Room:
    return Room(folder)


@pytest.fixture(params=LEVELS)
def either(request: pytest.FixtureRequest, folder: Path) -> Room:
    """Both ways to keep a command apart."""
    return Room(folder, host_of(request.param))


def test_it_keeps_what_a_command_writes_and_its_code(either: Room) -> None:
    either.start("echo out; echo err >&2; exit 3")
    ended = either.ended()
    assert (ended.code, ended.reasons, ended.is_out_of_memory) == (3, frozenset(), False)
    assert sorted(either.log().split()) == ["err", "out"]
    assert not (either.folder / "control").exists() and not (either.folder / "http").exists()


def test_a_signal_is_told_as_one(either: Room) -> None:
    either.start("kill -9 $$")
    assert either.ended().code == -9


def test_what_can_not_be_started_is_said(room: Room) -> None:
    kept = room.kept("true")
    (room.folder / "room" / "work").rmdir()
    start(kept)
    assert room.ended().code == 127
    assert room.log().startswith("[slipway] The command can't be started: ")


def test_it_is_the_childs_socket_and_answers_from_its_birth(either: Room) -> None:
    """Opened outside: no folder is shared, and nothing the command lays there leads a caller elsewhere."""
    serve = f"import socket; s = socket.socket(fileno={LISTENING}); c = s.accept()[0]; c.sendall(b'hello'); c.recv(1)"
    born = either.start(f'exec python3 -c "{serve}"')
    assert born.address == f"unix:{either.folder}/http"
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(born.address.removeprefix("unix:"))
        assert caller.recv(5) == b"hello"
    assert either.ended().code == 0
    with socket.socket(socket.AF_UNIX) as caller, pytest.raises(OSError):
        caller.connect(born.address.removeprefix("unix:"))


def test_a_port_is_opened_outside_too(either: Room) -> None:
    """A sandbox without network answers on it all the same."""
    serve = f"import socket; s = socket.socket(fileno={LISTENING}); c = s.accept()[0]; c.sendall(b'hello')"
    born = either.start(f'exec python3 -c "{serve}"', Limits(network=False), listen=("127.0.0.1", 0))
    host, _, port = born.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as caller:
        assert caller.recv(5) == b"hello"


def test_a_port_that_is_taken_is_said(room: Room) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="in use"):
        room.start("true", listen=taken.getsockname())


def test_it_is_asked_and_after_a_grace_killed(either: Room) -> None:
    either.start("trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.05; done")
    either.says("up")
    either.end(60)
    ended = either.ended()
    assert (ended.code, ended.reasons) == (0, frozenset({"asked"})) and "bye" in either.log()


def test_who_ignores_it_goes_with_all_that_it_started(either: Room) -> None:
    mark = f"2001.{len(str(either.host.bwrap))}"
    either.start(_STUBBORN.format(mark=mark))
    until(lambda: bool(marked(mark)))
    either.says("up")
    either.end(3600)
    assert is_kept(either.folder)
    either.end(0.2)
    assert either.ended().code == -9
    assert not marked(mark)


def test_the_command_alone_is_asked(room: Room) -> None:
    """It knows best how its own end; who is left when it has ended is ended then."""
    room.start(
        "bash -c 'trap \"echo child-asked\" TERM; echo child; while true; do sleep 0.05; done' & "
        "trap 'sleep 0.3; exit 0' TERM; echo up; wait"
    )
    room.says("child")
    room.says("up")
    room.end(60)
    assert room.ended().code == 0


def test_whoever_started_it_may_be_killed(either: Room) -> None:
    mark = f"2002.{len(str(either.host.bwrap))}"
    level = "sandboxed" if either.host.bwrap else "process"
    script = _STARTER.format(path=sys.path)
    command = [sys.executable, "-c", script, str(either.folder), level, f"echo up; exec sleep {mark}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b"started\n"
        starter.kill()
    either.says("up")
    assert is_kept(either.folder) and marked(mark)
    # It belongs to nobody's session, and to no process that started it.
    assert os.getsid(either.born.pid) not in (os.getsid(0), starter.pid)
    either.end()
    assert either.ended().reasons == {"asked"} and not marked(mark)


@pytest.mark.parametrize("which", ["keeper", "second"])
def test_where_one_of_its_processes_is_killed_nobody_is_left(either: Room, which: str) -> None:
    mark = f"2003.{len(str(either.host.bwrap))}{len(which)}"
    born = either.start(_STUBBORN.format(mark=mark))
    until(lambda: bool(marked(mark)))
    os.kill(born.pid if which == "second" else children_of(born.pid)[0], signal.SIGKILL)
    ended = either.ended()
    assert (ended.code, ended.reasons) == (-9, frozenset({"lost"}))
    assert not marked(mark)


def test_where_both_are_killed_the_rest_is_found_by_its_mark(either: Room) -> None:
    mark = f"2004.{len(str(either.host.bwrap))}"
    born = either.start(_STUBBORN.format(mark=mark))
    until(lambda: bool(marked(mark)))
    for pid in (*children_of(born.pid), born.pid):
        os.kill(pid, signal.SIGSTOP)
    for pid in (*children_of(born.pid), born.pid):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not is_kept(either.folder))
    until(lambda: sweep(either.folder))
    assert not marked(mark)
    assert either.ended().reasons == {"lost"}


def test_one_that_hangs_is_ended_all_the_same(room: Room) -> None:
    mark = "2005.5"
    born = room.start(f"exec sleep {mark}")
    os.kill(children_of(born.pid)[0], signal.SIGSTOP)
    room.end()
    assert room.ended().reasons == {"lost"} and not marked(mark)


def test_nobody_else_is_killed_for_a_process_id(room: Room) -> None:
    """It is written down with the time of its start, and compared while the process can't be replaced."""
    with subprocess.Popen(["sleep", "2006.5"]) as stranger:
        kill_exactly(stranger.pid, f"{int(start_of(str(stranger.pid))) - 1}")
        (room.folder / "born").write_text(f"up {stranger.pid} 1 unix:/nowhere")
        (room.folder / "left.json").write_text('{"mark": "", "groups": []}')
        room.end()
        assert not is_kept(room.folder) and sweep(room.folder)
        assert stranger.poll() is None
        kill_exactly(stranger.pid, start_of(str(stranger.pid)))
        assert stranger.wait() == -9


def test_it_ends_when_nobody_looks_after_it(room: Room) -> None:
    room.start("exec sleep 2007.5", beat_seconds=0.2)
    ended = room.ended()
    assert ended.reasons == {"forgotten"} and not marked("2007.5")


def test_it_goes_on_as_long_as_somebody_does(room: Room) -> None:
    room.start("for i in $(seq 20); do sleep 0.1; echo $i; done", beat_seconds=1.0)
    beats = iter(range(10**9))
    # The time of the file may be any: that it is another one is what counts.

    def is_over() -> bool:
        os.utime(room.folder / "heartbeat", (1, next(beats)))
        return not is_kept(room.folder)

    until(is_over)
    ended = ended_in(room.folder)
    assert ended is not None and (ended.code, ended.reasons) == (0, frozenset())


def test_of_a_flood_the_end_is_kept_and_places_are_of_all(either: Room) -> None:
    either.start("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last", log_bytes=100_000)
    assert either.ended().code == 0
    assert sum(file.stat().st_size for file in (either.folder / "log").iterdir()) <= 400_000
    at, tail = read_log(either.folder, -5, 100)
    assert (at, tail) == (3_000_001, b"last\n")
    at, whole = read_log(either.folder, 0, 10_000_000)
    assert at > 2_500_000 and at + len(whole) == 3_000_006
    assert read_log(either.folder, at, 10) == (at, b"x" * 10)
    assert read_log(either.folder, 10_000_000, 10) == (3_000_006, b"")


def test_the_keeper_takes_no_more_memory_for_it(room: Room) -> None:
    born = room.start("head -c 200000000 /dev/zero; echo; echo done; exec sleep 2008.5", log_bytes=1_000_000)
    until(lambda: read_log(room.folder, -5, 5)[1] == b"done\n")
    for pid in (born.pid, *children_of(born.pid)):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert int(status["VmHWM"].split()[0]) < 40_000


def test_more_memory_than_it_may_is_its_end(either: Room) -> None:
    grow = "x = []\nwhile True: x.append(bytearray(b'1') * 4_000_000)"
    either.start(f'exec python3 -c "{grow}"', Limits(memory_mb=100))
    ended = either.ended()
    assert ended.code == -9 and ended.reasons == {"memory"}


def test_the_kernel_says_that_it_was_the_memory(folder: Path) -> None:
    here = host_here()
    if "memory" not in here.cgroups.can_limit:
        pytest.skip("no groups of the kernel's can be made here")
    room = Room(folder, Host(cgroups=here.cgroups))
    grow = "x = []\nwhile True: x.append(bytearray(b'1') * 4_000_000)"
    room.start(f'exec python3 -c "{grow}"', Limits(memory_mb=100))
    ended = room.ended()
    assert ended.code == -9 and ended.is_out_of_memory
    groups = [Path(each) for each in json.loads((folder / "left.json").read_text())["groups"]]
    assert groups and not any(group.exists() for group in groups)


def test_nothing_of_what_it_is_given_reaches_the_keeper(room: Room) -> None:
    os.environ["KEPT_SECRET"] = "of the supervisor"
    try:
        born = room.start("env; exec sleep 2009.5")
    finally:
        del os.environ["KEPT_SECRET"]
    room.says("PATH")
    assert "KEPT_SECRET" not in room.log()
    for pid in (born.pid, *children_of(born.pid)):
        for file in ("environ", "cmdline"):
            assert b"KEPT" not in Path(f"/proc/{pid}/{file}").read_bytes()


def test_the_command_has_none_of_its_files(either: Room) -> None:
    with open(os.devnull) as held:  # noqa: PTH123
        either.start("ls -l /proc/self/fd; exec sleep 2010.5", held=(held.fileno(),))
    either.says("fd")
    until(lambda: "socket" in either.log())
    for each in ("lock", "control", "log/", os.devnull + "\n"):
        assert either.log().count(each) <= (1 if each.startswith(os.devnull) else 0), either.log()


def test_a_second_one_is_refused_in_a_folder(room: Room) -> None:
    kept = room.kept("exec sleep 2011.5")
    start(kept)
    with pytest.raises(Unavailable, match="started already"):
        start(kept)
    assert is_kept(room.folder)


def test_whatever_number_a_held_file_has_it_stays_held(room: Room, tmp_path: Path) -> None:
    """Even that which the command's socket gets."""
    with (tmp_path / "lock").open("w") as lock:
        number = os.dup2(lock.fileno(), LISTENING)
        fcntl.flock(number, fcntl.LOCK_SH)
        kept = room.kept("echo up; exec sleep 2012.5", held=(number,))
        start(kept)
        os.close(number)
    room.says("up")
    with (tmp_path / "lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        room.end()
        room.ended()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_its_starter_holds_back_it_does_not(room: Room) -> None:
    """A thread of the supervisor may have signals blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        room.start("echo up; exec sleep 2013.5")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    room.says("up")
    room.end(3600)
    assert room.ended().code == -signal.SIGTERM
