"""What a worker does with a log, in a process of its own on a server's data, at a test's word."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests

from tests.servers import Server

_BIN = Path(sys.executable).parent
# One line in, one out: makes a run, then appends to its log, or ends it.
_CODE = """
import json, sys, time
from apps.accounts.models import Team
from apps.experiments.models import Run
from apps.projects import actions, live
from apps.projects.execution.output import LogWriter
from apps.projects.models import Project, ProjectRun
asked = json.loads(sys.stdin.readline())
now = time.time_ns() // 1_000_000
team = Team.objects.get(name="default")
project, _ = Project.objects.get_or_create(
    team=team, name="iris", defaults={"source_kind": "git", "created_ms": now, "updated_ms": now})
tracking = Run.objects.select_related("experiment").get(run_id=asked["run_id"])
run = ProjectRun.objects.create(
    team=team, project=project, project_name="iris", owner_name="admin", entry_point="main", queue="default",
    experiment=tracking.experiment, run=tracking, state="running", attempt=1, fence=1, lease_until_ms=now + 10**9,
    queued_ms=now, claimed_ms=now, started_ms=now)
print(json.dumps(run.pk), flush=True)
log = LogWriter(limit=64 * 1024 * 1024)
for word in sys.stdin:
    asked = json.loads(word)
    log.feed(asked.get("output", "").encode() * asked.get("times", 1))
    while piece := log.take():
        actions.append_log(run_id=run.pk, fence=1, start=piece.start, data=piece.data, lines=piece.lines,
            tail=piece.tail, is_cut=piece.is_cut)
    if asked.get("end"):
        ProjectRun.objects.filter(pk=run.pk).update(state="finished", ended_ms=now, lease_until_ms=None, exit_code=0)
        live.touch(run.pk, "run")
    print("null", flush=True)
"""


class Writing:
    """A run that goes on; `key` is its number."""

    def __init__(self, process: subprocess.Popen[str], run_id: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout
        self.key = self._ask(run_id=run_id)

    def write(self, output: str, times: int = 1) -> None:
        """The child writes this, so many times."""
        self._ask(output=output, times=times)

    def end(self) -> None:
        """The run ends."""
        self._ask(end=True)

    def _ask(self, **asked: Any) -> Any:
        self._in.write(json.dumps(asked) + "\n")
        self._in.flush()
        return json.loads(self._out.readline())


@contextmanager
def writing(server: Server) -> Iterator[Writing]:
    """A new run of the default team."""
    url = f"{server.url}/api/2.0/mlflow/runs/create"
    headers = {"Authorization": f"Bearer {server.token}"}
    made = requests.post(url, json={"experiment_id": "0"}, headers=headers, timeout=30)
    run_id = made.json()["run"]["info"]["run_id"]
    command = [str(_BIN / "slipway"), "shell", "--no-imports", "-c", _CODE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=dict(server.env), **pipes) as process:  # type: ignore[call-overload]
        yield Writing(process, run_id)
        assert process.stdin is not None
        process.stdin.close()
