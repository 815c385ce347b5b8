"""Models that do what none should: the page says so, and nobody else notices."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from apps.runtime.process.closing import closed
from tests.deployments.targets.process.making import Serving
from tests.projects.execution.running import marked
from tests.waiting import until


def test_one_that_cannot_be_loaded_says_why(serving: Serving) -> None:
    serving.start(at_start="raise ValueError('no weights')")
    seen = serving.until_over()
    assert (seen.exit_code, seen.message) == (3, "The model can't be loaded: ValueError: no weights")
    assert "Traceback" in serving.log()


def test_one_that_exits_says_with_what(plain: Serving) -> None:
    plain.start(at_start="os._exit(5)")
    seen = plain.until_over()
    assert (seen.exit_code, seen.message) == (3, "The model can't be loaded: its process ended with code 5.")


def test_one_that_is_killed_says_by_what(sandboxed: Serving) -> None:
    """MLflow's server loads it in its own process."""
    sandboxed.start(at_start="os.kill(os.getpid(), 11)", server="mlflow")
    seen = sandboxed.until_over()
    assert (seen.exit_code, seen.message) == (-11, "It was ended by the signal SIGSEGV.")


def test_one_that_hangs_at_its_start_is_alive_and_not_ready(plain: Serving) -> None:
    started = plain.start(at_start="print('waiting', flush=True); time.sleep(10000)")
    until(lambda: "waiting" in plain.log())
    seen = plain.seen()
    assert seen.is_alive and not seen.is_ready
    plain.target.end(started.handle, 0)
    assert plain.until_over().exit_code == -9


def test_more_memory_than_it_may_is_said_in_words(sandboxed: Serving) -> None:
    sandboxed.start(at_start="x = []\nwhile True: x.append(bytearray(b'1') * 8_000_000)", memory_mb=400)
    seen = sandboxed.until_over()
    assert seen.message == "The memory limit of 400 MB was reached." and not seen.is_ready


def test_where_no_group_holds_it_memory_is_watched(plain: Serving) -> None:
    from apps.runtime.process.cgroups import Cgroups

    plain.target = replace(plain.target, host=replace(plain.target.host, cgroups=Cgroups()))
    started = plain.start(at_start="x = []\nwhile True: x.append(bytearray(b'1') * 8_000_000)", memory_mb=400)
    assert any(said.startswith("memory: ") for said in started.unenforced)
    assert plain.until_over().message == "The memory limit of 400 MB was reached."


def test_one_that_will_not_end_is_ended_with_all_that_it_started(serving: Serving) -> None:
    mark = f"3001.{len(str(serving.target.host.bwrap))}"
    stubborn = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"subprocess.Popen(['setsid', 'bash', '-c', 'trap \"\" TERM; sleep {mark} & wait']); "
        "print('up', flush=True); time.sleep(10000)"
    )
    started = serving.start(at_start=stubborn)
    until(lambda: bool(marked(mark)) and "up" in serving.log())
    serving.target.end(started.handle, 0.5)
    serving.until_over()
    assert not marked(mark)


def test_a_flood_of_words_fills_no_disk(sandboxed: Serving) -> None:
    started = sandboxed.start(at_start="while True: os.write(1, b'flood ' * 10000)")
    until(lambda: sandboxed.target.log(started.handle, -1, 1).end > 40_000_000)
    kept = sum(file.stat().st_size for file in (sandboxed.target.root / "1" / "log").iterdir())
    assert kept <= 17_000_000
    assert sandboxed.target.log(started.handle, 0, 10).start > 0


def test_a_log_is_cut_between_characters(plain: Serving) -> None:
    started = plain.start(at_start="print('säö€', flush=True); time.sleep(10000)")
    until(lambda: "€" in plain.log())
    whole = plain.log().encode()
    at, text = 0, ""
    while at < len(whole):
        piece = plain.target.log(started.handle, at, 4)
        assert piece.start == at and piece.end > at
        at, text = piece.end, text + piece.text
    assert text == whole.decode()


def test_what_it_leaves_where_it_answers_leads_nobody_elsewhere(answering: Serving) -> None:
    """A link in place of its socket could lead the gateway to a socket of this server's. It never sees the folder."""
    socket_here = answering.started[1].address.removeprefix("unix:")
    assert Path(socket_here).is_socket()
    assert answering.ask(f"os.path.lexists({socket_here!r})") == "False"
    assert "http" not in answering.ask("[os.readlink(f'/proc/self/fd/{n}') for n in (0, 1, 2)]")


def test_a_sandboxed_one_sees_nothing_of_this_server(answering: Serving) -> None:
    secret = Path(settings.DATA.root, "secret_of_the_server")
    secret.write_text("secret")
    other = Path(answering.model.parent, "model_of_another")
    other.write_text("secret")
    for file in (
        secret,
        other,
        answering.target.root / "1" / "config.json",
        answering.model / "MLmodel",
        Path(__file__),
    ):
        assert file.is_file()
        assert answering.ask(f"os.path.exists({str(file)!r})") == "False", file


def test_a_sandboxed_one_sees_no_process_but_its_own(answering: Serving) -> None:
    other = subprocess.Popen(["sleep", "3002.5"], env={"SECRET": "of another"})
    try:
        pids = answering.ask("[int(pid) for pid in os.listdir('/proc') if pid.isdigit()]")
        assert len(json.loads(pids)) < 10
        everything = "[open(f'/proc/{pid}/environ').read() for pid in os.listdir('/proc') if pid.isdigit()]"
        assert "SECRET" not in answering.ask(everything)
    finally:
        other.kill()
        other.wait()


def test_its_own_folder_alone_can_be_written(answering: Serving) -> None:
    write = "[open(p + '/x', 'w') and None for p in ({},)]"
    for place in ("/work", "/tmp"):
        assert answering.ask(write.format(repr(place))) == "[None]"
    for place in ("/run/slipway/model", "/run/slipway", "/run/slipway/scoring", "/usr", "/etc", "/"):
        assert "Read-only" in answering.ask(write.format(repr(place))), place
    python = answering.ask("sys.prefix")
    assert "Read-only" in answering.ask(write.format(repr(python)))


def test_without_network_it_reaches_nobody(answering: Serving) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert "refused" in answering.ask(f"socket.create_connection(('127.0.0.1', {port}), 2)")
        assert answering.ask("[name for _, name in socket.if_nameindex()]") == "['lo']"


@pytest.mark.parametrize("isolation", ["sandboxed", "process"])
def test_with_network_the_ports_of_database_and_broker_are_closed(
    isolation: str, request: pytest.FixtureRequest
) -> None:
    serving: Serving = request.getfixturevalue("sandboxed" if isolation == "sandboxed" else "plain")
    with socket.create_server(("127.0.0.1", 0)) as database, socket.create_server(("127.0.0.1", 0)) as other:
        shut, open_ = database.getsockname()[1], other.getsockname()[1]
        found = closed((shut,))
        if found.descriptor is None:
            pytest.skip("this kernel can't close ports")
        serving.target = replace(serving.target, host=replace(serving.target.host, closed=found))
        serving.start(network=True)
        serving.until_ready()
        assert "Permission denied" in serving.ask(f"socket.create_connection(('127.0.0.1', {shut}), 2)")
        assert "socket" in serving.ask(f"socket.create_connection(('127.0.0.1', {open_}), 2)")


def test_it_has_its_own_variables_alone(serving: Serving) -> None:
    os.environ["DATABASE_URL_OF_THE_SUPERVISOR"] = "secret"
    try:
        serving.start(env_vars={"GREETING": "hello"})
    finally:
        del os.environ["DATABASE_URL_OF_THE_SUPERVISOR"]
    serving.until_ready()
    names = serving.ask("sorted(os.environ)")
    assert "SUPERVISOR" not in names and "GREETING" in names and "SECRET" not in names


def test_a_share_of_the_cores_bounds_its_threads(answering: Serving) -> None:
    assert answering.ask("os.environ['OMP_NUM_THREADS']") == "2"
