"""The parts of an installation as processes that are killed and started again."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from slipway.cli import valkey
from slipway.paths import DataFolder
from tests.servers import ADMIN_PASSWORD, free_port

_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_SLIPWAY = [sys.executable, "-m", "slipway.cli"]


@dataclass
class Part:
    """A process, whose output goes into a file; `user`: who it runs as."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    user: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a group of its own."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                user=self.user or None,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                preexec_fn=_die_with_us,
            )

    def kill(self) -> None:
        """Its whole group, and those of its children that lead groups of their own where it is the database."""
        if self.process is None:
            return
        groups = [self.process.pid, *(children_of(self.process.pid) if self.name == "database" else [])]
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def is_up(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None


def _die_with_us() -> None:
    """So that nothing is left of a test that was killed itself."""
    _libc.prctl(_PDEATHSIG, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """The children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@dataclass
class Installation:
    """All parts by name, where it answers, and the address of its database."""

    url: str
    token: str
    database: str
    parts: dict[str, Part]


def postgres_binaries() -> Path | None:
    """The newest PostgreSQL of this host, and somebody who may run it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found and (os.geteuid() or _has_postgres_user()) else None


@contextmanager
def installation(
    home: Path, *, with_postgres: bool, fsync: bool = True, workers: int = 2, serves: bool = False
) -> Iterator[Installation]:
    """An installation on a data folder; all of it has ended when the block is left. `serves`: with a supervisor.

    Without `fsync` the database is quicker back: what processes wrote outlives them, if not a power cut.
    """
    parts: dict[str, Part] = {}
    binaries = postgres_binaries() if with_postgres else None
    stack = ExitStack()
    try:
        # Where the account of the database may go, as it may not into the folders of who tests.
        place = Path(stack.enter_context(TemporaryDirectory(prefix="slipway-kills-", ignore_cleanup_errors=True)))
        database = _postgres(place, binaries, parts, fsync=fsync) if binaries else f"sqlite:///{home}/slipway.db"
        env = _environment(home, database)
        port = free_port()
        env["SLIPWAY_LINK_URL"] = env["SLIPWAY_TRACKING_URL"] = f"http://127.0.0.1:{port}"
        _start(parts, "broker", valkey.command(DataFolder(home / "data")), env, home)
        _eventually(lambda: valkey.answers(DataFolder(home / "data").socket), "the broker")
        subprocess.run([*_SLIPWAY, "migrate"], env=env, check=True, capture_output=True)
        _start(parts, "web", [*_SLIPWAY, "server", "-h", "127.0.0.1", "-p", str(port)], env, home)
        _start(parts, "scheduler", [*_SLIPWAY, "scheduler"], env, home)
        for number in range(1, workers + 1):
            _start(parts, f"worker {number}", [*_SLIPWAY, "worker"], env, home)
        if serves:
            _start(parts, "serving", [*_SLIPWAY, "serving"], env, home)
        url = f"http://127.0.0.1:{port}"
        _eventually(lambda: requests.get(f"{url}/health", timeout=2).status_code == 200, "the web server")
        made = subprocess.run(
            [*_SLIPWAY, "token", "create", "admin"], env=env, check=True, capture_output=True, text=True
        )
        yield Installation(url, made.stdout.strip(), database, parts)
    finally:
        for part in reversed(parts.values()):
            part.kill()
        stack.close()


def _environment(home: Path, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "DJANGO_SETTINGS_MODULE"}}
    (home / "data").mkdir(exist_ok=True)
    return {
        **kept,
        "SLIPWAY_HOME": str(home / "data"),
        "DATABASE_URL": database,
        "SLIPWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "SLIPWAY_SECRET_KEY": "only-for-tests-" + "x" * 40,
        "DJANGO_SETTINGS_MODULE": "slipway.settings.prod",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def _start(parts: dict[str, Part], name: str, command: Sequence[str], env: Mapping[str, str], home: Path) -> None:
    parts[name] = Part(name, command, env, home / f"{name}.log")
    parts[name].start()


def _postgres(home: Path, binaries: Path, parts: dict[str, Part], *, fsync: bool) -> str:
    """A cluster of the test's own; root may not run one."""
    user = "" if os.geteuid() else "postgres"
    folder, port = home / "postgres", free_port()
    folder.mkdir()
    home.chmod(0o755)
    if user:
        shutil.chown(folder, user)
    init = [str(binaries / "initdb"), "-D", str(folder), "-A", "trust", "-U", "slipway", "--no-sync"]
    account = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    subprocess.run(init, check=True, capture_output=True, cwd="/", **account)  # type: ignore[call-overload]
    command = [str(binaries / "postgres"), "-D", str(folder), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"]
    command += [] if fsync else ["-c", "fsync=off"]
    log = home / "database.log"
    parts["database"] = Part("database", command, {"PATH": os.defpath}, log, user)
    parts["database"].start()
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    _eventually(lambda: subprocess.run(ready, check=False).returncode == 0, "the database")
    create = [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "slipway", "slipway"]
    subprocess.run(create, check=True)
    return f"postgresql://slipway@127.0.0.1:{port}/slipway"


def _has_postgres_user() -> bool:
    try:
        return bool(pwd.getpwnam("postgres"))
    except KeyError:
        return False


def _eventually(is_so: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what} did not start")
