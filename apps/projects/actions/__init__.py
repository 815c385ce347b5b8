"""Every write of this app."""

from apps.projects.actions.cancelling import cancel_run
from apps.projects.actions.claiming import Held, beat, claim_run, start_run
from apps.projects.actions.common import Fenced
from apps.projects.actions.ending import Ending, end_attempt
from apps.projects.actions.submitting import submit_run
from apps.projects.actions.sweeping import sweep_runs
from apps.projects.actions.workers import register_worker, stop_worker

__all__ = [
    "Ending",
    "Fenced",
    "Held",
    "beat",
    "cancel_run",
    "claim_run",
    "end_attempt",
    "register_worker",
    "start_run",
    "stop_worker",
    "submit_run",
    "sweep_runs",
]
