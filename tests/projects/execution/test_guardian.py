"""What is left of a run when its worker is killed: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from apps.runtime.abilities import sandbox_here
from apps.runtime.base import Work
from apps.runtime.limits import Limits
from apps.runtime.process import Host, Processes
from tests.projects.execution.running import marked
from tests.waiting import until

_WORKER = """
import sys, time
from pathlib import Path
from apps.runtime.base import Work
from apps.runtime.process import Host, Processes
from apps.runtime.limits import Limits
bwrap, options, room, command = sys.argv[1:]
host = Host(Path(bwrap) if bwrap else None, tuple(options.split()))
running = Processes(host, Path(room)).start(Work(command, Path(room) / "work", {}, Limits()))
print("started", flush=True)
time.sleep(1000)
"""
_STUBBORN = (
    "trap '' TERM; (setsid bash -c 'trap \"\" TERM; sleep {mark} & wait' &); echo up; while true; do sleep {mark}; done"
)


def host(level: str) -> Host:
    """With the sandbox or without it."""
    bwrap, options, why = sandbox_here()
    if level == "sandboxed" and bwrap is None:
        pytest.skip(f"no sandbox: {why}")
    return Host(bwrap, options) if level == "sandboxed" else Host()


@pytest.mark.parametrize("level", ["sandboxed", "process"])
def test_where_the_worker_is_killed_nobody_is_left(tmp_path: Path, level: str) -> None:
    here, mark = host(level), f"1002.{len(level)}"
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-c", _WORKER, str(here.bwrap or ""), " ".join(here.options), str(tmp_path)]
    worker = subprocess.Popen([*command, _STUBBORN.format(mark=mark)], stdout=subprocess.PIPE)
    with worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"started\n"
        until(lambda: len([pid for pid in marked(mark) if _is_sleep(pid)]) == 2)
        worker.kill()
    until(lambda: not marked(mark))


@pytest.mark.parametrize("level", ["sandboxed", "process"])
def test_it_hears_of_a_shorter_grace_meanwhile(tmp_path: Path, level: str) -> None:
    (tmp_path / "work").mkdir()
    mark = f"1003.{len(level)}"
    running = Processes(host(level), tmp_path).start(Work(_STUBBORN.format(mark=mark), tmp_path / "work", {}, Limits()))
    assert next(running.output()) == b"up\n"
    running.child._tell(b"\xff")
    assert running.wait(0.2) is None
    running.kill(0)
    assert running.wait() == -9 and not marked(mark)
    running.close()
    running.close()


def test_what_can_not_be_started_says_so(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    running = Processes(Host(), tmp_path).start(Work("true", tmp_path / "work" / "missing", {}, Limits()))
    said = b"".join(running.output())
    assert running.wait() == 127 and said.startswith(b"[slipway] The command can't be started: ")
    running.close()


def test_nothing_that_a_run_is_given_reaches_the_guardian(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    given = {"LD_PRELOAD": "/nowhere.so", "SECRET": "shown to nobody"}
    running = Processes(host("process"), tmp_path).start(Work("sleep 1004.5", tmp_path / "work", given, Limits()))
    until(lambda: bool(marked("1004.5")))
    pid = running.child.guardian.pid
    for file in ("environ", "cmdline"):
        assert b"SECRET" not in Path(f"/proc/{pid}/{file}").read_bytes()
    running.kill(0)
    running.close()


def _is_sleep(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
    except OSError:
        return False


def test_a_process_whose_first_thread_has_ended_is_one(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    text = (
        "import ctypes, os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1005.5,)).start()\n"
        "print(os.getpid(), flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    (tmp_path / "work" / "step.py").write_text(text)
    command = f"exec {sys.executable} -I step.py"
    running = Processes(host("process"), tmp_path).start(Work(command, tmp_path / "work", {}, Limits()))
    pid = int(next(running.output()))
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    running.kill(0)
    assert not Path(f"/proc/{pid}").exists()
    running.close()
