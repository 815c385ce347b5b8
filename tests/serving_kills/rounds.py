"""The rounds, and what has to be so after them."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kills.parts import Installation, children_of, installation
from tests.kills.rounds import rows
from tests.servers import free_port
from tests.serving_kills.customer import NAME, Customer
from tests.serving_kills.model import FACTORS

INSTANCES = 2
CALLERS = 6
# Until the first environment is built, on a machine that does other things too; less than a test may take.
PATIENCE = 600.0
_QUIET = 1.0
_MOST_PER_ROUND = 90.0
# Who was well for so long before it ended is followed at once.
_WELL = 60
# That something of an instance was killed shows when its supervisor looked and asked it in vain.
_NOTICED = {"instance": 5.0, "keeper": 5.0}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What is asked for. `whole_within`: seconds from when what was killed may start again."""

    seed: int = 1
    rounds: int = 60
    changes: int = 30
    whole_within: float = 10.0
    with_postgres: bool = True
    environments: Path | None = None


@dataclass
class Report:
    """`wrong` are sentences; empty: all is as it has to be."""

    killed: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    bad: int = 0
    bad_in_changes: int = 0
    load_seconds: float = 0
    boot_seconds: float = 0
    longest: dict[str, float] = field(default_factory=dict)
    longest_bad: dict[str, float] = field(default_factory=dict)
    changes: int = 0
    longest_change: float = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        """In lines, for people."""
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        bad = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(self.longest_bad.items()))
        whole = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(self.longest.items()))
        return "\n".join(
            [
                f"killed: {kills}",
                f"calls failed at the latest after: {bad}",
                f"all instances were back at the latest after: {whole}",
                f"of which an instance takes {self.load_seconds:.1f} s to load, and web {self.boot_seconds:.1f} s",
                f"answered: {self.answered}; refused or cut off while something was killed: {self.bad}",
                f"changes and ways back: {self.changes}, each within {self.longest_change:.1f} s; "
                f"failed calls meanwhile: {self.bad_in_changes}; {self.seconds:.0f} s in all",
                *(self.wrong or ["all is as it has to be"]),
            ]
        )


class Caller:
    """The process that calls, and what it wrote."""

    def __init__(self, url: str, token: str, file: Path) -> None:
        command = [sys.executable, "-m", "tests.serving_kills.load", url, str(file), str(CALLERS)]
        env = {**os.environ, "SLIPWAY_LOAD_TOKEN": token, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(command, env=env)
        self._file, self._at = file, 0
        self.bads: list[tuple[float, str]] = []
        self.answered = 0

    def read(self) -> int:
        """What is new; how many calls were answered."""
        if not self._file.exists():
            return 0
        content = self._file.read_text()
        whole = content[self._at : content.rfind("\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            said = json.loads(line)
            if "bad" in said:
                self.bads.append((said["at"], said["bad"]))
            else:
                self.answered = said["answered"]
        return self.answered

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def serving_rounds(home: Path, wishes: Wishes, say: Say = lambda _: None) -> Report:
    """Kill something in each round while a model is called; then change it again and again; then take it away."""
    report, began = Report(), time.monotonic()
    if wishes.environments is not None:
        wishes.environments.mkdir(parents=True, exist_ok=True)
        (home / "data").mkdir(mode=0o700)
        (home / "data" / "environments").symlink_to(wishes.environments)
    with (
        installation(home, with_postgres=wishes.with_postgres, fsync=False, workers=1, serves=True) as there,
        ExitStack() as stack,
    ):
        customer = Customer(there.url, there.token)
        stack.callback(_end_serving, there)
        load_seconds = _bring(there, customer)
        report.load_seconds, report.boot_seconds = load_seconds, _boot(there, customer)
        loads = f"an instance loads in {load_seconds:.1f} s, web in {report.boot_seconds:.1f} s"
        say(f"serving after {time.monotonic() - began:.0f} s; {loads}")
        with _called(there, home) as caller:
            chance = random.Random(wishes.seed)
            for number in range(wishes.rounds):
                said = _round(there, home, customer, caller, chance, wishes, report)
                say(f"round {number + 1}: {said}")
            report.bad = len(caller.bads)
            _changes(customer, caller, wishes, report, say)
            caller.read()
            report.answered = caller.answered
            report.wrong += sorted({said for _, said in caller.bads if said.startswith("WRONG")})
        _check_the_end(there, home, customer, report)
    _check_nobody_is_left(home, report)
    report.seconds = time.monotonic() - began
    return report


def _bring(there: Installation, customer: Customer) -> float:
    """Both versions built, the second one serving; how many seconds its instances took to load it."""
    customer.bring_model()
    for factor in FACTORS:
        customer.bring_version(factor)
    customer.deploy(config={"instances": INSTANCES, "keep_warm_s": 1}, port=free_port())
    _first(there, customer, 1)
    # So that the second version's build is no part of a change.
    customer.change(2)
    _first(there, customer, 2)
    return customer.load_seconds()


def _first(there: Installation, customer: Customer, version: int) -> None:
    """Wait until a version that has to be built serves; what failed for good is told at once."""

    def told() -> str:
        runs = rows(there.database, "SELECT id, kind, state, message FROM projects_projectrun ORDER BY id")
        return f"version {version}: {customer.look()}; {runs}; {_ends_of_logs(there)}"

    def serves() -> bool:
        assert customer.look()["state"] != "failed", told()
        return _serves(customer, version) and _is_whole(customer)

    _eventually(serves, PATIENCE, told)


def _ends_of_logs(there: Installation) -> str:
    return "".join(f"\n== {name}\n{part.log.read_text()[-3000:]}" for name, part in there.parts.items())


def _boot(there: Installation, customer: Customer) -> float:
    """How many seconds the web server takes from its start to its first answer."""
    there.parts["web"].kill()
    began = time.monotonic()
    there.parts["web"].start()
    customer.look()
    return time.monotonic() - began


@contextmanager
def _called(there: Installation, home: Path) -> Iterator[Caller]:
    caller = Caller(f"{there.url}/serve/{NAME}/invocations", there.token, home / "load.jsonl")
    try:
        _eventually(lambda: caller.read() > 10, 60, lambda: f"no answer: {caller.bads[-3:]}")
        yield caller
    finally:
        caller.close()


def _round(
    there: Installation,
    home: Path,
    customer: Customer,
    caller: Caller,
    chance: random.Random,
    wishes: Wishes,
    report: Report,
) -> str:
    """What was killed, and how long it took until all was whole."""
    time.sleep(chance.uniform(0.2, 1.5))
    victim = _kill(there, home, chance)
    report.killed[victim.split()[0]] += 1
    began = time.monotonic()
    kind = victim.split()[0]
    answered, whole = _wait_until_whole(customer, caller, began, _NOTICED.get(kind, 1.5))
    report.longest_bad[kind] = max(report.longest_bad.get(kind, 0), answered)
    report.longest[kind] = max(report.longest.get(kind, 0), whole)
    said = f"killed {victim}; the last call failed after {answered:.1f} s; all instances were back after {whole:.1f} s"
    # Nobody can hasten how long a model, or the only web server, takes until it is loaded on this machine.
    boot = report.boot_seconds if kind == "web" else 0
    loading = max(boot, report.load_seconds) + (_rest(there) if kind in ("instance", "keeper") else 0)
    if answered > wishes.whole_within + boot or whole > wishes.whole_within + loading:
        report.wrong.append(f"{said}: {[bad for _, bad in caller.bads[-3:]]}")
    return said


def _rest(there: Installation) -> float:
    """How long the newest instance was waited with, since those before it in its place ended soon after they began.

    Who is killed again and again within a minute can't be told from one that dies of itself; others serve meanwhile.
    """
    ((failures,),) = rows(there.database, "SELECT failures FROM deployments_instance ORDER BY id DESC LIMIT 1")
    return float(min(60, 2 ** (failures - 2))) if failures > 1 else 0.0


def _are_steady(there: Installation) -> bool:
    """Whether the next instance is begun within two seconds, whichever is killed now."""
    found = rows(there.database, "SELECT ready_ms FROM deployments_instance WHERE ended_ms IS NULL AND failures > 2")
    return all(ready_ms and time.time() - ready_ms / 1000 > _WELL for (ready_ms,) in found)


def _kill(there: Installation, home: Path, chance: random.Random) -> str:
    """Kill a part, a keeper or an instance with SIGKILL; a part is started again. What it was.

    Instances are left alone while the next one would be waited with for long: so many rounds stay rounds of seconds.
    """
    parts = ["web", "worker", "serving", "serving"]
    victim = chance.choice([*parts, *(["keeper", "keeper", "instance", "instance"] if _are_steady(there) else [])])
    if victim in ("keeper", "instance"):
        found = _keepers(home) if victim == "keeper" else _servers(home)
        if not found:
            return f"{victim} (none ran)"
        try:
            os.kill(chance.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            pass
        return victim
    part = there.parts["worker 1" if victim == "worker" else victim]
    part.kill()
    time.sleep(chance.choice((0, 0, 1.0)))
    part.start()
    return victim


def _keepers(home: Path) -> list[int]:
    """Both processes of each."""
    first = [int(born.read_text().split()[1]) for born in home.glob("data/serving/instances/*/born")]
    second = [child for pid in first for child in children_of(pid) if b"keeper.py" in _command(child)]
    return sorted(pid for pid in (*first, *second) if b"keeper.py" in _command(pid))


def _servers(home: Path) -> list[int]:
    """What answers, in instances."""
    found, looked = [], list(_keepers(home))
    while looked:
        pid = looked.pop()
        if b"launch.py" in _command(pid) and b"bwrap" not in _command(pid):
            found.append(pid)
        looked += children_of(pid)
    return sorted(set(found))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _wait_until_whole(customer: Customer, caller: Caller, began: float, noticed: float) -> tuple[float, float]:
    """Seconds until no call goes wrong any more, and until all instances answer; before `noticed` nobody knows."""
    time.sleep(noticed)
    whole_at = last_bad = 0.0
    while time.monotonic() - began < _MOST_PER_ROUND:
        caller.read()
        last_bad = max(began, caller.bads[-1][0] if caller.bads else 0.0)
        if not _is_whole(customer):
            whole_at = 0.0
        elif not whole_at:
            whole_at = time.monotonic()
        if whole_at and time.monotonic() - max(whole_at, last_bad) > _QUIET:
            break
        time.sleep(0.1)
    return last_bad - began, (whole_at or time.monotonic()) - began


def _is_whole(customer: Customer) -> bool:
    found = customer.look()
    ready = sum(route["instances_ready"] for route in found["routes"] if route["weight"])
    return bool(found["state"] == "ready" and ready == INSTANCES)


def _serves(customer: Customer, version: int) -> bool:
    routes = [route for route in customer.look()["routes"] if route["weight"]]
    return [route["version"] for route in routes] == [version]


def _changes(customer: Customer, caller: Caller, wishes: Wishes, report: Report, say: Say) -> None:
    """To the other version by a new revision, and back to the one before, in turns."""
    caller.read()
    before = len(caller.bads)
    version = 2
    for number in range(wishes.changes):
        version = 3 - version
        began = time.monotonic()
        if number % 2:
            customer.roll_back()
        else:
            customer.change(version)
        _eventually(
            lambda v=version: _serves(customer, v) and _is_whole(customer),  # type: ignore[misc]
            _MOST_PER_ROUND,
            lambda v=version: f"version {v} does not get its traffic: {customer.look()}",  # type: ignore[misc]
        )
        took = time.monotonic() - began
        report.longest_change = max(report.longest_change, took)
        report.changes += 1
        say(f"change {number + 1}: version {version} after {took:.1f} s")
    time.sleep(4)
    caller.read()
    report.bad_in_changes = len(caller.bads) - before
    if report.bad_in_changes:
        some = [said for _, said in caller.bads[before : before + 5]]
        report.wrong.append(f"{report.bad_in_changes} calls failed while models were changed: {some}")


def _check_the_end(there: Installation, home: Path, customer: Customer, report: Report) -> None:
    port = customer.look().get("port")
    customer.stop()
    customer.delete()
    report.wrong += [f"instance process {pid} is left" for pid in _servers(home)]
    end = time.monotonic() + 5
    while (left := _sockets(home)) and time.monotonic() < end:
        time.sleep(0.2)
    report.wrong += [f"{place} is left" for place in left]
    _end_serving(there)
    if port and not _is_free(port):
        report.wrong.append(f"port {port} is not given back")


def _end_serving(there: Installation) -> None:
    """As an operator does: its instances end with it."""
    serving = there.parts["serving"].process
    if serving is not None and serving.poll() is None:
        serving.terminate()
        serving.wait(90)


def _sockets(home: Path) -> list[Path]:
    return [place for place in (home / "data" / "serving").rglob("*") if place.is_socket()]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _check_nobody_is_left(home: Path, report: Report) -> None:
    end = time.monotonic() + 15
    while (left := _ours(home)) and time.monotonic() < end:
        time.sleep(0.2)
    report.wrong += [f"process {pid} is left: {_command(pid)[:200]!r}" for pid in left]


def _ours(home: Path) -> list[int]:
    """Processes that name the data folder in their command or variables."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            said = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(home / "data") in said and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found


def _eventually(is_so: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(what())
        time.sleep(0.2)
