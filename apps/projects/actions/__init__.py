"""Every write of this app."""

from apps.projects.actions.cancelling import cancel_run
from apps.projects.actions.claiming import Held, beat, claim_run, start_run
from apps.projects.actions.common import Fenced
from apps.projects.actions.ending import Ending, end_attempt
from apps.projects.actions.projects import (
    change_source,
    create_project,
    delete_project,
    describe_project,
    set_defaults,
)
from apps.projects.actions.reading import ask_reading, read_project
from apps.projects.actions.submitting import submit_run
from apps.projects.actions.sweeping import sweep_runs
from apps.projects.actions.workers import register_worker, stop_worker

__all__ = [
    "Ending",
    "Fenced",
    "Held",
    "ask_reading",
    "beat",
    "cancel_run",
    "change_source",
    "claim_run",
    "create_project",
    "delete_project",
    "describe_project",
    "end_attempt",
    "read_project",
    "register_worker",
    "set_defaults",
    "start_run",
    "stop_worker",
    "submit_run",
    "sweep_runs",
]
