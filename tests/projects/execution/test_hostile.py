"""Projects that mean harm: each ends, says why where it can, and harms nobody else."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from apps.core.errors import InvalidInput
from apps.projects.execution.runner import Runner
from apps.projects.models import RunState
from apps.runtime import following
from apps.runtime.abilities import host
from apps.runtime.limits import Limits
from apps.runtime.process import Host
from apps.runtime.process.closing import closed
from apps.runtime.process.sandbox import Sandbox
from tests.projects.execution.conftest import Execute
from tests.projects.execution.running import marked, project, script
from tests.waiting import until

pytestmark = pytest.mark.django_db


def needs(controller: str) -> None:
    """Skip where this host's cgroups can't be used for it."""
    if controller not in host().cgroups.can_limit:
        pytest.skip(f"this host lets no cgroup be made for {controller}")


@pytest.mark.usefixtures("level")
def test_one_that_forks_without_end_is_held_at_its_limit(execute: Execute) -> None:
    needs("pids")
    text = "import os\nwhile True:\n    if os.fork() == 0:\n        os.execv('/bin/sleep', ['sleep', '1000.25'])\n"
    done = execute(script(text), limits=Limits(processes=40))
    assert done.run.state == RunState.FAILED and "BlockingIOError" in done.log
    assert not marked("1000.25")
    assert "The limit of 40 processes was reached." in done.log


@pytest.mark.usefixtures("level")
def test_one_that_takes_too_much_memory_is_killed(execute: Execute) -> None:
    needs("memory")
    done = execute(script("b = bytearray(512 * 1024 * 1024); print(len(b))"), limits=Limits(memory_mb=128))
    assert done.run.state == RunState.FAILED
    assert "The memory limit of 128 MB was reached." in done.run.message


@pytest.mark.usefixtures("level")
def test_where_no_cgroup_bounds_memory_it_is_watched(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.projects.execution import runner
    from apps.runtime.process import Host

    real = host()
    monkeypatch.setattr(runner, "host", lambda: Host(real.bwrap, real.options))
    text = "import time\nb = bytearray(b'x' * 300 * 1024 * 1024)\ntime.sleep(1000)"
    done = execute(script(text), limits=Limits(memory_mb=128, cpus=1.0))
    assert done.run.state == RunState.FAILED and "The memory limit of 128 MB was reached." in done.run.message
    assert [said.partition(":")[0] for said in done.run.unenforced][:2] == ["cpus", "memory"]


@pytest.mark.usefixtures("level")
def test_one_that_fills_the_disk_is_ended(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "DISK_SECONDS", 0.1)
    text = "while true; do head -c 1000000 /dev/zero >> big || true; sleep 0.01; done"
    done = execute(project(text), limits=Limits(disk_mb=20))
    assert (done.run.state, done.run.message) == (RunState.FAILED, "The limit of 20 MB of disk was reached.")
    assert not list(site.DATA.runs.glob("*-*-*"))


@pytest.mark.usefixtures("level")
def test_a_file_is_no_larger_than_it_may_be(execute: Execute) -> None:
    done = execute(project("head -c 5000000 /dev/zero > big"), limits=Limits(file_mb=2))
    assert done.run.state == RunState.FAILED


@pytest.mark.usefixtures("level")
def test_one_that_takes_too_long_is_ended(execute: Execute) -> None:
    done = execute(project("trap 'echo bye; exit 0' TERM; while true; do sleep 0.05; done"), limits=Limits(seconds=1))
    assert (done.run.state, done.run.message) == (RunState.FAILED, "The time limit of 1 s was reached.")
    assert "bye" in done.lines


@pytest.mark.usefixtures("level")
def test_one_that_leaves_daemons_leaves_none(execute: Execute) -> None:
    text = (
        "import os, sys\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            os.execv('/bin/sleep', ['sleep', '1000.5'])\n"
        "        os._exit(0)\n"
        "print('left')"
    )
    done = execute(script(text))
    assert done.run.state == RunState.FINISHED and done.lines == ["left"]
    assert not marked("1000.5")


@pytest.mark.usefixtures("level")
def test_a_cancel_ends_one_that_ignores_it_and_all_it_started(
    execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.projects.execution import runner

    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.5)
    text = "trap '' TERM; (trap '' TERM; setsid sleep 1000.75 &); while true; do sleep 1000.75; done"

    def cancel(running: Runner) -> None:
        until(lambda: len(marked("1000.75")) > 2)
        running.cancel()
        # It returns when nobody is left.
        assert not marked("1000.75")

    done = execute(project(text), meanwhile=cancel)
    assert done.run.state == RunState.CANCELLED and done.run.run is not None and done.run.run.status == "KILLED"


@pytest.mark.usefixtures("level")
def test_a_cancel_lets_one_that_hears_it_end_itself(execute: Execute) -> None:
    text = "trap 'echo cleaned up; exit 0' TERM; echo 1000.33; while true; do sleep 0.05; done"

    def cancel(running: Runner) -> None:
        until(lambda: len(marked("1000.33")) > 0)
        running.cancel()

    done = execute(project(text), meanwhile=cancel)
    assert done.run.state == RunState.CANCELLED and "cleaned up" in done.lines


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("which", ["first", "second"])
def test_where_a_guardian_is_killed_nobody_is_left(execute: Execute, which: str) -> None:
    text = "(setsid sleep 1000.125 &); sleep 1000.125"

    def kill(running: Runner) -> None:
        until(lambda: len([pid for pid in marked("1000.125") if _name(pid) == "sleep"]) == 2)
        execution: Any = running._execution
        first = execution.child.guardian.pid
        (second,) = [pid for pid in _children(first) if b"guardian.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(first if which == "first" else second, 9)

    done = execute(project(text), meanwhile=kill)
    assert done.run.state == RunState.FAILED
    assert not marked("1000.125")


@pytest.mark.usefixtures("level")
def test_a_flood_of_output_is_cut_and_read_to_its_end(execute: Execute, settings: Any) -> None:
    settings.PROJECT_LOG_BYTES = 1024 * 1024
    done = execute(project("head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo end"))
    assert done.run.state == RunState.FINISHED and done.run.log_cut
    assert done.run.log_bytes < 1024 * 1024 + 64 * 1024
    assert "[slipway] The log has reached its limit of 1 MB" in done.log


@pytest.mark.usefixtures("sandboxed")
def test_it_sees_no_other_process_and_nothing_of_the_server(execute: Execute) -> None:
    (site.DATA.root / "a-file-of-the-server").write_text("nothing for runs")
    text = (
        "import glob, os\n"
        f"print('server', os.path.exists({str(site.DATA.root / 'a-file-of-the-server')!r}))\n"
        f"print('database', os.path.exists({str(site.DATA.database)!r}))\n"
        f"print('key', os.path.exists({str(site.DATA.secret_key)!r}))\n"
        f"print('code', os.path.exists({str(Path(__file__))!r}))\n"
        "found = [open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/environ')]\n"
        "print('processes', len(found) < 6, 'pytest', any(b'PYTEST' in each for each in found))\n"
        f"home = {str(Path.home())!r}\n"
        "print('home', os.path.expanduser('~'), len(os.listdir(home)) if os.path.exists(home) else 0)\n"
        "print('user', os.getuid(), os.uname().nodename)\n"
        "print('effective', [l for l in open('/proc/self/status') if l.startswith('CapEff')][0].split()[1])\n"
    )
    done = execute(script(text))
    # Of the worker's home there is at most the way to the interpreter, where that lies there.
    *found, home, user, effective = done.lines
    assert found == ["server False", "database False", "key False", "code False", "processes True pytest False"]
    assert home in ("home /work 0", "home /work 1")
    assert (user, effective) == ("user 1000 run", "effective 0000000000000000")


@pytest.mark.usefixtures("sandboxed")
def test_it_changes_nothing_but_its_own_folder(execute: Execute) -> None:
    text = (
        "import os, sys\n"
        "for place in ('/x', '/usr/x', '/etc/x', '/dev/x', sys.prefix + '/x', sys.prefix + '/lib/x'):\n"
        "    try:\n        open(place, 'w'); print('wrote', place)\n"
        "    except OSError as error:\n        pass\n"
        "for place in ('/work/x', '/tmp/x', 'x', '/dev/shm/x'):\n    open(place, 'w')\n"
        "try:\n    os.chmod(sys.prefix, 0o700); print('changed')\nexcept OSError:\n    print('kept')\n"
    )
    assert execute(script(text)).lines == ["kept"]


@pytest.mark.usefixtures("sandboxed")
def test_it_adds_no_arguments_to_its_sandbox(execute: Execute) -> None:
    variables = f'env_vars: {{A: "x\\0--bind\\0{site.DATA.root}\\0/work/host"}}'
    file = f"{variables}\nentry_points: {{main: {{command: ls /work/host}}}}"
    done = execute({"MLproject": file})
    assert (done.run.state, done.lines) == (RunState.FAILED, [f"[slipway] {done.run.message}"])
    assert "it holds a character that can't be kept" in done.run.message
    here = Sandbox(Path("/usr/bin/bwrap"), site.DATA.root)
    with pytest.raises(InvalidInput, match="a character that no variable can hold"):
        here.arguments(site.DATA.root / "work", {"A": "x\x00--bind\x00/\x00/work/host"})


@pytest.mark.usefixtures("sandboxed")
def test_it_sets_nothing_of_the_kernel(execute: Execute) -> None:
    """Of a worker that is root, a run could have the kernel start a program of its own: `core_pattern`."""
    text = (
        "import os\n"
        "seen = 0\n"
        "for place, _, names in os.walk('/proc/sys'):\n"
        "    for name in names:\n"
        "        seen += 1\n"
        "        try:\n            os.close(os.open(os.path.join(place, name), os.O_WRONLY))\n"
        "            print('may write', name)\n"
        "        except OSError:\n            pass\n"
        "print(seen > 100)\n"
    )
    assert execute(script(text)).lines == ["True"]


@pytest.mark.usefixtures("sandboxed")
def test_it_makes_no_namespace_in_which_it_is_root(execute: Execute) -> None:
    if not host().options:
        pytest.skip("this bwrap is too old to forbid namespaces")
    assert execute(project("unshare --user --map-root-user id -u 2>/dev/null || echo refused")).lines == ["refused"]


@pytest.fixture
def service() -> Iterator[int]:
    """Something on this host's loopback, such as a database or broker; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_answer, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


_KNOCK = (
    "import socket, sys\n"
    "def reach(host, port):\n"
    "    try:\n"
    "        return socket.create_connection((host, port), 3).recv(99).decode()\n"
    "    except OSError as error:\n"
    "        return 'no way'\n"
)


@pytest.mark.usefixtures("level")
def test_ports_of_database_and_broker_are_closed_to_it(
    execute: Execute, service: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.projects.execution import runner

    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=_answer, args=(other,), daemon=True).start()
        here = replace(host(), closed=closed((service,)))
        if here.closed.descriptor is None:
            pytest.skip("this kernel can't close ports: it is older than 6.7, or without Landlock")
        monkeypatch.setattr(runner, "host", lambda: here)
        text = f"{_KNOCK}for port in ({service}, {other.getsockname()[1]}):\n    print(reach('127.0.0.1', port))\n"
        done = execute(script(text))
    assert done.lines == ["no way", "here I am"]


def test_without_a_sandbox_it_can_not_end_its_guardian_or_the_worker(
    execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.projects.execution import runner

    here = Host(closed=closed(()))
    if here.closed.descriptor is None:
        pytest.skip("this kernel can't close ports: it is older than 6.7, or without Landlock")
    monkeypatch.setattr(runner, "host", lambda: here)
    text = (
        "import os\n"
        "for pid in (os.getppid(), int(open(f'/proc/{os.getppid()}/stat').read().split()[3])):\n"
        "    try:\n        os.kill(pid, 0); print('reached', pid)\n"
        "    except PermissionError:\n        print('refused')\n"
    )
    assert execute(project("exec python step.py", **{"step.py": text})).lines == ["refused", "refused"]


@pytest.mark.usefixtures("sandboxed")
def test_without_network_it_reaches_the_tracking_server_and_nothing_else(
    execute: Execute, service: int, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.TRACKING_URL = f"http://127.0.0.1:{service}"
        text = (
            f"{_KNOCK}import os, urllib.parse\n"
            "uri = urllib.parse.urlsplit(os.environ['MLFLOW_TRACKING_URI'])\n"
            "print(reach(uri.hostname, uri.port))\n"
            f"print(reach('127.0.0.1', {other.getsockname()[1]}))\n"
            "print(reach('169.254.169.254', 80))\n"
        )
        done = execute(script(text), limits=Limits(network=False))
    assert done.lines == ["here I am", "no way", "no way"]
    assert not any(said.startswith("network") for said in done.run.unenforced)


def test_without_a_sandbox_the_network_is_said_to_be_open(execute: Execute, settings: Any) -> None:
    settings.PROJECT_ISOLATION = "process"
    host.cache_clear()
    try:
        done = execute(project("true"), limits=Limits(network=False))
    finally:
        host.cache_clear()
    assert any(said.startswith("network: not cut off") for said in done.run.unenforced)


def test_where_a_sandbox_is_wanted_and_missing_nothing_runs(
    execute: Execute, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.runtime import abilities

    monkeypatch.setattr(abilities, "sandbox_here", lambda: (None, (), "bwrap is not installed."))
    settings.PROJECT_ISOLATION = "sandboxed"
    host.cache_clear()
    try:
        done = execute(project("echo ran"))
        assert abilities.abilities()["isolation"] == "none: runs are refused"
    finally:
        host.cache_clear()
    assert done.run.state == RunState.FAILED and "bwrap is not installed" in done.run.message
    assert "ran" not in done.lines


def _answer(listening: socket.socket) -> None:
    while True:
        try:
            one, _ = listening.accept()
        except OSError:
            return
        with one:
            one.sendall(b"here I am")


def _children(parent: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(place.name))
        except OSError:
            continue
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
