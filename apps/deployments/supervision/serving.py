"""The supervisor of this host: it looks after its own instances, and, where it has the lease, decides for all hosts."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from django.db import close_old_connections

from apps.core.actor import system_actor
from apps.core.errors import Conflict
from apps.deployments.actions import leading
from apps.deployments.actions.leading import Deposed
from apps.deployments.models import ServingEpoch, ServingHost
from apps.deployments.supervision.agent import Agent
from apps.deployments.supervision.errands import Errands, tried
from apps.deployments.supervision.leader import Leader
from apps.deployments.supervision.places import lacking
from apps.deployments.supervision.starting import Fetch, Starter
from apps.deployments.targets.base import Target
from apps.runtime.process.identity import this_process

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
BUSY_SECONDS = 0.3
PEEK_SECONDS = 0.25
# Together less than what a container is given to stop.
HANDOVER_SECONDS, END_SECONDS = 15.0, 40.0
_THREADS, _DECIDING = 16, 4


class Serving:
    """One host's. `run` returns once `stop` was asked for, by whatever thread or signal.

    `keep`: what runs goes on when it stops, for the next one to adopt; else all of it ends. `each_look` is called at
    each look at what runs.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        targets: Mapping[str, Target],
        fetch: Fetch,
        abilities: Mapping[str, Any] | None = None,
        *,
        keep: bool = False,
        each_look: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.folder, self.targets, self.keep = name, folder, targets, keep
        self._each_look = each_look
        self._fetch, self._abilities = fetch, dict(abilities or {})
        self._stopping = threading.Event()
        self._decide, self._act = threading.Event(), threading.Event()
        self._lock: IO[str] | None = None

    def run(self) -> None:
        """Look, again and again. Raises `Conflict` where this folder has a supervisor, `Deposed` for a taken name."""
        self._lock = _locked(self.folder)
        host = self._registered()
        if host is None:
            return
        errands = Errands("serving", _THREADS, self._wake)
        agent = Agent(host, self.targets, Starter(self._fetch), errands)
        leader = Leader(self.name, f"{self.name}:{this_process()}", Errands("deciding", _DECIDING, self._wake))
        decider = threading.Thread(target=self._lead, args=(leader,), name="slipway leader", daemon=True)
        decider.start()
        try:
            self._look_after(agent)
        finally:
            self._stopping.set()
            self._wake()
            self._end(agent, host)
            decider.join(10)
            errands.close()
            self._lock.close()

    def stop(self) -> None:
        """End soon. Safe in a signal's handler."""
        self._stopping.set()
        self._act.set()
        self._decide.set()

    def _registered(self) -> ServingHost | None:
        """Its row, once the database is there; None where it is asked to stop before."""
        found: list[ServingHost] = []
        lacks = lacking(self.targets)

        def register() -> None:
            found.append(
                leading.register_host(
                    system_actor(),
                    name=self.name,
                    pid=os.getpid(),
                    version=version("slipway"),
                    targets=[kind for kind, why in lacks.items() if not why],
                    abilities=self._abilities | {"targets": {kind: why for kind, why in lacks.items() if why}},
                )
            )

        while not self._stopping.is_set():
            if tried("register this host", register):
                return found[0]
            self._stopping.wait(LOOK_SECONDS)
        return None

    def _look_after(self, agent: Agent) -> None:
        while not self._stopping.is_set():
            self._each_look()
            busy = [False]

            def look(busy: list[bool] = busy) -> None:
                busy[0] = agent.tick()

            try:
                tried_to(look)
            finally:
                close_old_connections()
            self._act.wait(BUSY_SECONDS if busy[0] else LOOK_SECONDS)
            self._act.clear()

    def _lead(self, leader: Leader) -> None:
        """Each second, and at once when something was changed: all that changes what serves moves the epoch."""
        epoch, due = -1, 0.0
        while not self._stopping.is_set():
            now = _epoch()
            if now != epoch or self._decide.is_set() or time.monotonic() >= due:
                self._decide.clear()
                epoch, due = now, time.monotonic() + LOOK_SECONDS
                steps = [0]

                def decide(steps: list[int] = steps) -> None:
                    if leader.seek():
                        steps[0] = leader.tick()

                tried("decide", decide)
                if steps[0]:
                    self._act.set()
            self._decide.wait(PEEK_SECONDS)
        tried("leave the lease", leader.leave)

    def _wake(self) -> None:
        self._act.set()
        self._decide.set()

    def _end(self, agent: Agent, host: ServingHost) -> None:
        if self.keep:
            return
        # First, so that whoever decides gives it nothing more.
        tried("say that it stops", partial(leading.stop_host, system_actor(), host=host))
        agent.hand_over(HANDOVER_SECONDS)
        agent.end_all(END_SECONDS)


def tried_to(look: Any) -> None:
    """As `tried`, but a host whose name was taken stops."""
    taken: list[Deposed] = []

    def work() -> None:
        try:
            look()
        except Deposed as error:
            taken.append(error)

    tried("look after this host's instances", work)
    if taken:
        raise taken[0]


def _epoch() -> int:
    found: list[int] = []

    def peek() -> None:
        found.append(ServingEpoch.objects.values_list("number", flat=True).first() or 0)

    tried("look for changes", peek)
    return found[0] if found else -1


def _locked(folder: Path) -> IO[str]:
    """Holds the folder until it is closed, or we end in whatever way. Raises `Conflict`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Conflict(f"Another slipway serving runs on {folder}.") from error
    return lock
