"""The rounds, and what has to be so after them."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.kills.customer import FINAL, Asked, Customer
from tests.kills.diary import Diary, diary
from tests.kills.parts import Installation, installation

# A lease has to run out, somebody has to look, and what waits has to be done.
PATIENCE = 240.0
# No run may be held for longer without anybody who works on it.
MOST_ALONE = 60.0
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "cancelled": "KILLED", "lost": "FAILED"}
Say = Callable[[str], None]


@dataclass
class Report:
    """`wrong` are sentences; empty: all is as it has to be."""

    killed: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    longest_alone: float = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        """In lines, for people."""
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        states = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        return "\n".join(
            [
                f"killed: {kills}",
                f"runs: {states}; attempts: {self.attempts}; {self.seconds:.0f} s",
                f"longest held without a process: {self.longest_alone:.0f} s",
                *(self.wrong or ["all is as it has to be"]),
            ]
        )


def kill_rounds(home: Path, *, seed: int, rounds: int, with_postgres: bool, say: Say = lambda _: None) -> Report:
    """Kill something in each round while runs are queued and done; then wait for their ends, and check."""
    chance, report, mark, began = random.Random(seed), Report(), f"kill-{uuid.uuid4().hex[:8]}", time.monotonic()
    with diary() as told, installation(home, with_postgres=with_postgres, fsync=False) as there:
        customer = Customer(there.url, there.token)
        customer.bring_project()
        asked: list[Asked] = []
        watch = _Watch(there, mark)
        watch.start()
        for number in range(rounds):
            asked += [_ask(customer, told, chance, f"{mark}-{number}-{each}") for each in range(3)]
            time.sleep(chance.uniform(0.2, 2.5))
            victim = _kill(there, chance, mark, told)
            report.killed[victim.split()[0]] += 1
            say(f"round {number + 1}: killed {victim}")
            _read_and_cancel(customer, asked, chance)
        _wait_for_ends(customer, asked, report)
        watch.stop.set()
        watch.join(30)
        report.longest_alone = watch.longest
        _check(there, customer, told, asked, report)
        _check_nobody_is_left(mark, report)
    report.seconds = time.monotonic() - began
    return report


def _ask(customer: Customer, told: Diary, chance: random.Random, key: str) -> Asked:
    return customer.ask(key, told.port, lines=chance.randint(3, 40), retries=chance.choice((0, 3)))


def _kill(there: Installation, chance: random.Random, mark: str, told: Diary) -> str:
    """Kill a part or a child with SIGKILL; a part is started again, perhaps after a while. What it was."""
    victim = chance.choice([*(name for name in there.parts if name != "scheduler"), "child", "child"])
    if victim == "child":
        children = marked(mark)
        if not children:
            return "child (none ran)"
        _kill_child(chance.choice(children), told)
        return victim
    part = there.parts[victim]
    part.kill()
    time.sleep(chance.choice((0, 0, 1.5)))
    part.start()
    return victim


def _kill_child(pid: int, told: Diary) -> None:
    try:
        key = _key_of(Path(f"/proc/{pid}/cmdline").read_text())
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        return
    told.kills.append((key, time.monotonic()))


def marked(mark: str) -> list[int]:
    """Processes whose command line names one of our runs, by whatever name they are there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _read_and_cancel(customer: Customer, asked: list[Asked], chance: random.Random) -> None:
    for each in chance.sample(asked, min(3, len(asked))):
        customer.read_on(each)
    if chance.random() < 0.25:
        customer.cancel(chance.choice(asked))


def _wait_for_ends(customer: Customer, asked: list[Asked], report: Report) -> None:
    end = time.monotonic() + PATIENCE + len(asked)
    waiting = list(asked)
    while waiting and time.monotonic() < end:
        waiting = [each for each in waiting if customer.look(each) not in FINAL]
        time.sleep(1 if waiting else 0)
    report.wrong += [f"run {each.id} never ended: it is {each.row['state']}" for each in waiting]


class _Watch(threading.Thread):
    """Looks each second which runs are held, and whether somebody works on them."""

    def __init__(self, there: Installation, mark: str) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.longest = 0.0
        self._there, self._mark = there, mark

    def run(self) -> None:
        alone_since: dict[str, float] = {}
        while not self.stop.wait(1):
            try:
                query = "SELECT params FROM projects_projectrun WHERE state = 'running'"
                held = [_key_of(params) for (params,) in rows(self._there.database, query)]
            except (psycopg.Error, sqlite3.Error):
                continue
            lines = _lines_of(self._mark)
            now = time.monotonic()
            alone_since = {
                key: alone_since.get(key, now)
                for key in held
                if not any(key.encode() + b"\0" in each for each in lines)
            }
            self.longest = max([self.longest, *(now - since for since in alone_since.values())])


def _key_of(params: Any) -> str:
    found = re.search(r"kill-[0-9a-f]{8}-\d+-\d+", str(params))
    return found[0] if found else ""


def _lines_of(mark: str) -> list[bytes]:
    lines = []
    for pid in marked(mark):
        try:
            lines.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b" ", b"\0"))
        except OSError:
            continue
    return lines


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    """What a query answers, of either database."""
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(f"file:{database.removeprefix('sqlite:///')}?mode=ro", uri=True)) as lite:
            return lite.execute(query).fetchall()
    with psycopg.connect(database, connect_timeout=2) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return,unused-ignore]


def _check(there: Installation, customer: Customer, told: Diary, asked: list[Asked], report: Report) -> None:
    query = "SELECT object_id FROM audit_event WHERE code = 'project_run.ended' AND object_kind = 'project_run'"
    ends = Counter(str(key) for (key,) in rows(there.database, query))
    if report.longest_alone > MOST_ALONE:
        report.wrong.append(f"a run was held for {report.longest_alone:.0f} s without a process")
    for each in asked:
        state = customer.look(each)
        report.states[state] += 1
        report.attempts += int(each.row["attempt"])
        if state in FINAL:
            report.wrong += [f"run {each.id} ({state}): {said}" for said in _faults(customer, told, each, ends)]


def _faults(customer: Customer, told: Diary, asked: Asked, ends: Counter[str]) -> list[str]:
    state, entries, log = str(asked.row["state"]), told.of(asked.key), customer.whole_log(asked)
    done = [attempt for attempt, what in entries if what == "done"]
    ended = told.ended(asked.key)
    status = customer.tracking_status(asked)
    checks = {
        f"it ended {ends[asked.id]} times": ends[asked.id] == 1,
        f"it was done {len(ended)} times": len(ended) <= 1,
        "it is finished and was not done": state != "finished" or bool(done),
        f"its tracking run is {status}": status == _STATUS[state],
        "two attempts went on at once": not _overlap([attempt for attempt, _ in entries]),
        "it was tried more often than allowed": asked.row["attempt"] <= asked.retries + 1,
        "it lost lines that were read": log.startswith(asked.seen),
        "its log has gaps": state != "finished" or _numbers(log) == [*range(asked.lines), -1] or _outlived(asked),
        "its log lost what its last attempt did": _is_whole(log, state),
    }
    return [said for said, is_so in checks.items() if not is_so]


def _outlived(asked: Asked) -> bool:
    """Its worker died with the last lines in hand, when the command had ended: the run says so."""
    return "had finished when its worker died" in asked.row["message"]


def _overlap(attempts: list[str]) -> bool:
    """Whether one was heard of again after the next had begun."""
    seen: list[str] = []
    for attempt in attempts:
        if attempt in seen[:-1]:
            return True
        if not seen or seen[-1] != attempt:
            seen.append(attempt)
    return False


def _numbers(log: bytes) -> list[int]:
    """The numbers of the lines of the last attempt; -1 for the last line."""
    found = re.findall(rb"^\S+ #(\d+|end)", log, re.MULTILINE)
    last = max((place for place, number in enumerate(found) if number == b"00000"), default=0)
    return [-1 if number == b"end" else int(number) for number in found[last:]]


def _is_whole(log: bytes, state: str) -> bool:
    """In order and without a gap as far as it goes, whatever the end was."""
    numbers = [number for number in _numbers(log) if number >= 0]
    return numbers == [*range(len(numbers))] and (log.endswith(b"\n") or not log or state == "lost")


def _check_nobody_is_left(mark: str, report: Report) -> None:
    end = time.monotonic() + 15
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.2)
    report.wrong += [f"process {pid} is left" for pid in left]
