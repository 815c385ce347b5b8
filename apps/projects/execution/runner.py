"""One attempt of a run on this machine, from its claim to its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.experiments import actions as experiments
from apps.projects import actions
from apps.projects.actions import Ending, Fenced, cancelled_words
from apps.projects.execution.ending import Stopped, words_of
from apps.projects.execution.insisting import insist
from apps.projects.execution.output import LogKeeper, LogWriter, Piece
from apps.projects.execution.plans import Plan, Preparation, plan_for
from apps.projects.execution.receipts import drop_receipt, receipt_of
from apps.projects.execution.rooms import room_of
from apps.projects.limits import PREPARING_SECONDS, seconds_of
from apps.projects.models import JobKind, ProjectRun, RunState
from apps.runtime.abilities import host, require_isolation
from apps.runtime.base import Backend, Execution, Work
from apps.runtime.environments import Cache
from apps.runtime.following import GRACE_SECONDS, Follower
from apps.runtime.limits import Limits
from apps.runtime.process import Processes, forward_to
from apps.runtime.process.sandbox import interpreter_of
from apps.runtime.tools import Tools

logger = logging.getLogger(__name__)


class Runner:
    """Prepares, starts and follows the child of one attempt. `cancel` and `kill` come from other threads."""

    def __init__(self, actor: Actor, run: ProjectRun) -> None:
        self.actor, self.run_row = actor, run
        self._lock = threading.Lock()
        self._execution: Execution | None = None
        self._cancelled, self._lost = False, ""
        self._keeper = LogKeeper(self._writer(()), self._store)

    def run(self) -> None:
        """Until the attempt has ended and is written down as ended. Raises `Fenced` where it isn't ours any more."""
        ending = self._ending()
        if self._lost and ending.state is not RunState.FINISHED:
            raise Fenced(f"{self.run_row}: {self._lost}")
        # The database may be away just now: what is done must not be done again for it.
        insist(lambda: actions.end_attempt(self.actor, run=self.run_row, ending=ending), str(self.run_row))
        drop_receipt(self.run_row)

    def cancel(self) -> None:
        """End it as somebody asked. Returns when nobody of it is left."""
        with self._lock:
            self._cancelled, execution = True, self._execution
        if execution is not None:
            execution.kill(GRACE_SECONDS)

    def kill(self, why: str) -> None:
        """End it at once, and write nothing, unless it had finished by then: that is not to be done again."""
        with self._lock:
            self._lost, execution = why, self._execution
        if execution is not None:
            execution.kill(0)

    def _ending(self) -> Ending:
        try:
            with room_of(self.run_row, lambda: bool(self._lost)) as room:
                ending = self._tried(room)
                self._end_log(ending)
        except Stopped:
            ending = Ending(RunState.CANCELLED)
        if self._cancelled:
            self.run_row.refresh_from_db(fields=["cancelled_by", "cancel_reason"])
            return Ending(RunState.CANCELLED, cancelled_words(self.run_row), ending.exit_code)
        return ending

    def _end_log(self, ending: Ending) -> None:
        """Who finished while the database was away may be believed lost: that is cleared up without the last lines."""
        try:
            self._keeper.end()
        except Fenced:
            if ending.state is not RunState.FINISHED:
                raise

    def _tried(self, room: Path) -> Ending:
        try:
            return self._executed(room)
        except Fenced:
            raise
        except DomainError as error:
            # A tool that was ended because of a cancel says that it failed, too.
            if not self._cancelled:
                self._keeper.say(error.message)
            return Ending(RunState.FAILED, error.message)
        except Stopped:
            raise
        except Exception:
            logger.exception("%s failed in the worker", self.run_row)
            return Ending(RunState.LOST, "The worker failed; its log says why.")

    def _executed(self, room: Path) -> Ending:
        require_isolation()
        variables = self._variables()
        limits = self._limits()
        server = forward_to(settings.TRACKING_URL) if self.run_row.kind == JobKind.PROJECT else None
        processes = Processes(host(), room, forward=server)
        tools = Tools(processes.host, room, self._held)
        plan = plan_for(Preparation(self.run_row, processes.work, tools, self._keeper.say, self._seen(processes)))
        self._check()
        self._log_plan(plan)
        with ExitStack() as stack:
            backend, more = self._backend(plan, processes, tools, stack, limits)
            given = {**plan.variables, **variables, **more}
            # What is read from its folder when it has ended can't be read by who comes after.
            receipt = receipt_of(self.run_row) if plan.finished is None else None
            work = Work(plan.command, plan.folder, given, limits, tuple(self.run_row.gpu_ids), *self._ids(), receipt)
            return self._followed(backend, work, plan, room)

    def _followed(self, backend: Backend, work: Work, plan: Plan, room: Path) -> Ending:
        self._check()
        execution = backend.start(work)
        try:
            with self._held(execution):
                self._started(execution, plan)
                _lend_connection()
                seconds = seconds_of(self.run_row.limits)
                follower = Follower(execution, self._keeper, work.limits, seconds, room)
                code = follower.follow()
                return self._ended(code, follower.stopped or execution.note(), bool(follower.stopped), plan)
        finally:
            execution.close()

    def _ended(self, code: int, note: str, is_stopped: bool, plan: Plan) -> Ending:
        if self._cancelled or (self._lost and code):
            return Ending(RunState.CANCELLED, exit_code=code)
        if is_stopped:
            return Ending(RunState.FAILED, note, code)
        if code:
            said = words_of(code, note)
            self._keeper.say(said)
            return Ending(RunState.FAILED, said, code)
        if note:
            self._keeper.say(note)
        return Ending(RunState.FINISHED, plan.finished(plan.folder) if plan.finished else "", 0)

    def _backend(
        self, plan: Plan, processes: Processes, tools: Tools, stack: ExitStack, limits: Limits
    ) -> tuple[Backend, Mapping[str, str]]:
        """Where it runs, and what variables that takes besides."""
        if plan.docker is not None:
            from apps.runtime.docker import Docker, rules_of_site, variables_of

            callers = {**self.run_row.env_vars, **plan.variables, **self._secrets}
            own = variables_of(plan.docker, callers)
            args, rules = self.run_row.docker_args, rules_of_site()
            return Docker(plan.docker, args, rules, self._keeper.say, self._check), own
        cache = Cache(settings.DATA.environments, tools.run, tools.build, self._check)
        ready = stack.enter_context(cache.held(plan.needs, self._keeper.say))
        if ready.was_built:
            cache.clean(settings.ENVIRONMENTS_BYTES)
        self._environment = plan.needs.key
        readable = (ready.folder, *interpreter_of(ready.folder))
        backend = Processes(processes.host, processes.room, readable, (), processes.forward)
        more = ready.variables("/usr/local/bin:/usr/bin:/bin")
        more["CUDA_VISIBLE_DEVICES"] = ",".join(self.run_row.gpu_ids)
        if not limits.network and backend.host.bwrap and backend.forward:
            more["MLFLOW_TRACKING_URI"] = backend.forward.uri
        return backend, more

    _environment = ""

    def _started(self, execution: Execution, plan: Plan) -> None:
        known = {"commit": plan.commit, "environment": self._environment}
        kept_apart = {"isolation": execution.isolation, "unenforced": list(execution.unenforced)}
        run = self.run_row
        insist(lambda: actions.start_run(self.actor, run=run, **known, **kept_apart), str(run))
        if run.run is not None and execution.tags:
            self._log({}, execution.tags)

    def _variables(self) -> dict[str, str]:
        """What the child is given. From here on the log hides what is secret of it."""
        run = self.run_row
        self._secrets = actions.secrets_for(run)
        called = self._access()
        hidden = (*self._secrets.values(), called.get("MLFLOW_TRACKING_TOKEN", ""))
        self._keeper = LogKeeper(self._writer(tuple(filter(None, hidden))), self._store)
        if run.attempt > 1:
            self._keeper.say(f"Attempt {run.attempt}, on {run.worker_name}.")
        ids = {**called, "SLIPWAY_PROJECT_RUN_ID": str(run.pk), "PYTHONUNBUFFERED": "1"}
        if run.run is not None:
            ids |= {"MLFLOW_RUN_ID": run.run.run_id, "MLFLOW_EXPERIMENT_ID": str(run.run.experiment_id)}
        return {**run.env_vars, **self._secrets, **ids}

    def _access(self) -> dict[str, str]:
        """With what it comes to the server. A model that is built has nothing to ask there."""
        if self.run_row.kind != JobKind.PROJECT:
            return {}
        seconds = seconds_of(self.run_row.limits) + PREPARING_SECONDS
        until = timezone.now() + timedelta(seconds=seconds)
        token = str(actions.give_token(self.actor, run=self.run_row, expires_at=until))
        return {"MLFLOW_TRACKING_URI": settings.TRACKING_URL, "MLFLOW_TRACKING_TOKEN": token}

    _secrets: Mapping[str, str] = {}

    def _limits(self) -> Limits:
        usual = Limits(processes=settings.PROJECT_PROCESSES, disk_mb=settings.PROJECT_DISK_MB)
        return Limits.from_json(self.run_row.limits).over(usual)

    def _log_plan(self, plan: Plan) -> None:
        if self.run_row.run is not None:
            self._log(plan.params, plan.tags)

    def _log(self, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Onto the tracking run. It may be deleted, or have other values by now: the run goes on."""
        assert self.run_row.run is not None  # noqa: S101
        try:
            run_id = self.run_row.run.run_id
            experiments.log_batch(self.actor, run_id=run_id, params=list(params.items()), tags=list(tags.items()))
        except DomainError as error:
            self._keeper.say(f"The tracking run does not take what it is run with: {error.message}")

    @contextmanager
    def _held(self, execution: Execution) -> Iterator[None]:
        """Where `cancel` and `kill` find it."""
        with self._lock:
            self._execution = execution
            is_over = self._cancelled or bool(self._lost)
        if is_over:
            execution.kill(0)
        try:
            yield
        finally:
            with self._lock:
                self._execution = None

    def _check(self) -> None:
        if self._cancelled or self._lost:
            raise Stopped

    def _ids(self) -> tuple[int, int]:
        return self.run_row.pk, self.run_row.fence

    @staticmethod
    def _seen(processes: Processes) -> Callable[[Path], Path]:
        return lambda place: Path(processes.shown(place))

    def _writer(self, secrets: tuple[str, ...]) -> LogWriter:
        run = self.run_row
        limit: int = settings.PROJECT_LOG_BYTES
        return LogWriter(limit=limit, start=run.log_bytes, is_cut=run.log_cut, secrets=secrets)

    def _store(self, piece: Piece) -> None:
        """The database may be away for a while: then nothing more is read, and nothing is lost."""
        run, said = self.run_row, f"the log of {self.run_row}"
        insist(
            lambda: actions.append_log(
                run_id=run.pk,
                fence=run.fence,
                start=piece.start,
                data=piece.data,
                lines=piece.lines,
                tail=piece.tail,
                is_cut=piece.is_cut,
            ),
            said,
        )
        _lend_connection()


def _lend_connection() -> None:
    """Back to the pool: runs go on for hours, there may be more than it has, and the heart takes its own from there."""
    # One with a transaction is its opener's, as in tests.
    if not connection.in_atomic_block:
        close_old_connections()
