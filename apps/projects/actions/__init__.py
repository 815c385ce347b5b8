"""Every write of this app."""

from apps.projects.actions.archives import Kept, keep_archive, open_archive, prune_archives
from apps.projects.actions.cancelling import cancel_run
from apps.projects.actions.claiming import Held, beat, claim_run, start_run
from apps.projects.actions.common import Fenced
from apps.projects.actions.credentials import give_token
from apps.projects.actions.ending import Ending, end_attempt
from apps.projects.actions.firing import fire_schedule, sweep_schedules
from apps.projects.actions.logs import append_log, store_log, store_logs
from apps.projects.actions.projects import (
    change_source,
    create_project,
    delete_project,
    describe_project,
    set_defaults,
)
from apps.projects.actions.reading import ask_reading, read_project
from apps.projects.actions.schedules import (
    Plan,
    change_schedule,
    create_schedule,
    delete_schedule,
    pause_schedule,
)
from apps.projects.actions.secrets import delete_secret, reseal_secrets, secrets_for, set_secret
from apps.projects.actions.submitting import submit_run
from apps.projects.actions.sweeping import sweep_runs
from apps.projects.actions.workers import register_worker, stop_worker

__all__ = [
    "Ending",
    "Fenced",
    "Held",
    "Kept",
    "Plan",
    "append_log",
    "ask_reading",
    "beat",
    "cancel_run",
    "change_schedule",
    "change_source",
    "claim_run",
    "create_project",
    "create_schedule",
    "delete_project",
    "delete_schedule",
    "delete_secret",
    "describe_project",
    "end_attempt",
    "fire_schedule",
    "give_token",
    "keep_archive",
    "open_archive",
    "pause_schedule",
    "prune_archives",
    "read_project",
    "register_worker",
    "reseal_secrets",
    "secrets_for",
    "set_defaults",
    "set_secret",
    "start_run",
    "stop_worker",
    "store_log",
    "store_logs",
    "submit_run",
    "sweep_runs",
    "sweep_schedules",
]
