"""The server as processes: starting, stopping, dying, hanging."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deployments.scoring.serving import Served, post, read_answer, read_whole, serving
from tests.waiting import until

pytestmark = pytest.mark.client

FolderOf = Callable[[str], Path]
ROW = {"data": [[5.1, 3.5, 1.4, 0.2]]}


def x(value: float) -> dict[str, Any]:
    return {"data": [[value]]}


def test_from_start_to_stop_on_a_unix_socket(folder_of: FolderOf, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(path)
    with serving(folder_of("svc"), tmp_path, listen={"unix": path}, workers=2) as served:
        until(lambda: _listens(served))
        # Until the model is there, health is 404 as MLflow's, and callers are told to come back.
        if " is ready on " not in served.log:
            assert served.get("/health")[0] in (404, 200)
        served.wait_ready()
        assert served.get("/health") == (200, "\n")
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert served.ask(ROW) == (200, {"predictions": [0]})
        served.process.send_signal(signal.SIGTERM)
        assert served.wait_ended() == 0
        assert not Path(path).exists()


def test_who_heard_that_it_is_ready_is_never_told_that_it_is_not(folder_of: FolderOf, tmp_path: Path) -> None:
    with serving(folder_of("svc"), tmp_path, listen={"unix": str(tmp_path / "s")}, workers=2) as served:
        until(lambda: _is_there(served))
        assert {served.get("/health")[0] for _ in range(200)} == {200}


def _is_there(served: Served) -> bool:
    try:
        return served.get("/health")[0] == 200
    except OSError:
        return False


def _listens(served: Served) -> bool:
    try:
        served.connect().close()
    except OSError:
        return False
    return True


def test_what_is_in_flight_is_finished(folder_of: FolderOf, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(folder_of("gate"), tmp_path, {"GATE": str(gate)}) as served:
        served.wait_ready()
        with served.connect() as waiting, served.connect() as idle:
            waiting.sendall(post(x(50)))
            until(lambda: "in_flight{" in served.get("/metrics")[1] and _in_flight(served) == 1)
            served.process.send_signal(signal.SIGTERM)
            assert idle.recv(1) == b""
            gate.touch()
            status, headers, _ = read_whole(waiting)
            assert (status, headers.get("connection")) == (200, "close")
        assert served.wait_ended() == 0


def _in_flight(served: Served) -> int:
    lines = served.get("/metrics")[1].splitlines()
    return int(next(line for line in lines if line.startswith("slipway_scoring_in_flight{")).split()[-1])


def test_a_model_that_can_t_be_loaded(folder_of: FolderOf, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in folder_of("svc").iterdir():
        if file.is_file():
            (broken / file.name).write_bytes(b"no pickle" if file.name == "model.pkl" else file.read_bytes())
    with serving(broken, tmp_path) as served:
        assert served.wait_ended() == 3
        assert served.lines[-1].startswith("[slipway] The model can't be loaded: UnpicklingError: ")
        assert "Traceback" in served.log


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with serving(tmp_path, tmp_path) as served:
        assert served.wait_ended() == 3
        assert "[slipway] The model can't be loaded: MlflowException: " in served.lines[-1]


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with serving(tmp_path, tmp_path, listen={"port": port}) as served:
            assert served.wait_ended() == 4
            assert f"http://127.0.0.1:{port} can't be listened on: Address already in use" in served.log


@pytest.mark.parametrize("wrong", [{"listen": None}, {"workers": 0}, {"listen": {"unix": "/" + "x" * 200}}])
def test_a_wrong_configuration(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with serving(tmp_path, tmp_path, **wrong) as served:
        assert served.wait_ended() == 2
        assert "The configuration is wrong." in served.log


def test_a_killed_worker_is_replaced_and_others_go_on(folder_of: FolderOf, tmp_path: Path) -> None:
    with serving(folder_of("svc"), tmp_path, workers=2) as served:
        served.wait_ready()
        until(lambda: len(served.workers()) == 2)
        stop, wrong, answered = threading.Event(), [], [0, 0]

        def call(place: int) -> None:
            while not stop.is_set():
                try:
                    said = served.ask(ROW)
                except (OSError, AssertionError):
                    continue  # The connection was one of the killed worker's.
                answered[place] += 1
                if said != (200, {"predictions": [0]}):
                    wrong.append(said)

        callers = [threading.Thread(target=call, args=(place,)) for place in range(2)]
        for caller in callers:
            caller.start()
        first = set(served.workers())
        for _ in range(3):
            victim = served.workers()[0]
            os.kill(victim, signal.SIGKILL)
            before = sum(answered)
            until(lambda v=victim, b=before: v not in served.workers() and sum(answered) > b + 20)  # type: ignore[misc]
        until(lambda: len(served.workers()) == 2)
        stop.set()
        for caller in callers:
            caller.join()
        assert wrong == []
        assert set(served.workers()) != first
        assert "ended with signal 9" in served.log


def test_a_prediction_that_hangs(folder_of: FolderOf, tmp_path: Path) -> None:
    with serving(folder_of("gate"), tmp_path, timeout_s=1, threads=1, grace_s=1) as served:
        served.wait_ready()
        worker = served.ask(x(1))[1]["predictions"][0]
        with served.connect() as hanging, served.connect() as behind:
            hanging.sendall(post(x(99)))
            until(lambda: _in_flight(served) == 1)
            behind.sendall(post(x(1)))
            status, said = read_answer(hanging)
            assert (status, said["message"]) == (504, "Request processing time exceeded limit")
            # What waited behind it is done by another thread, or told the same when its own time is over.
            assert read_answer(behind)[0] in (200, 504)
        assert served.ask(x(1))[1]["predictions"] == [worker]
        # A thread that never comes back costs its process, in the end.
        until(lambda: served.ask(x(1))[1]["predictions"] != [worker])
        assert "has a prediction that hangs" in served.log


def test_more_than_a_worker_takes(folder_of: FolderOf, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(folder_of("gate"), tmp_path, {"GATE": str(gate)}, concurrency=2) as served:
        served.wait_ready()
        with served.connect() as one, served.connect() as two, served.connect() as three:
            one.sendall(post(x(50)))
            two.sendall(post(x(50)))
            until(lambda: _in_flight(served) == 2)
            three.sendall(post(x(1)))
            status, headers, body = read_whole(three)
            assert (status, headers["retry-after"]) == (429, "1")
            assert b"REQUEST_LIMIT_EXCEEDED" in body
            assert served.get("/health")[0] == 200
            gate.touch()
            assert read_answer(one)[0] == read_answer(two)[0] == 200
        assert served.ask(x(1))[0] == 200


def test_who_leaves_gives_the_place_back(folder_of: FolderOf, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(folder_of("gate"), tmp_path, {"GATE": str(gate)}, concurrency=2, threads=1) as served:
        served.wait_ready()
        with served.connect() as begun, served.connect() as waiting:
            begun.sendall(post(x(50)))
            waiting.sendall(post(x(99)))
            until(lambda: _in_flight(served) == 2)
        until(lambda: _in_flight(served) == 0)
        with served.connect() as one, served.connect() as two:
            one.sendall(post(x(1)))
            two.sendall(post(x(2)))
            until(lambda: _in_flight(served) == 2)
            gate.touch()
            # Of those that left the one that waited would never end.
            assert read_answer(one)[0] == read_answer(two)[0] == 200


def test_the_master_s_death_ends_the_workers(folder_of: FolderOf, tmp_path: Path) -> None:
    with serving(folder_of("svc"), tmp_path, workers=2) as served:
        served.wait_ready()
        workers = served.workers()
        served.process.kill()
        served.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
