"""Every write of this app."""

from apps.projects.actions.archives import Kept, keep_archive, open_archive, prune_archives
from apps.projects.actions.builds import start_build
from apps.projects.actions.cancelling import cancel_run
from apps.projects.actions.claiming import (
    Held,
    asked_to_cancel,
    beat,
    claim_run,
    is_something_waiting,
    start_run,
    write_held,
)
from apps.projects.actions.common import Fenced
from apps.projects.actions.credentials import give_token
from apps.projects.actions.draining import drain_worker, resume_worker
from apps.projects.actions.ending import Ending, cancelled_words, end_attempt, end_waiting, return_run
from apps.projects.actions.firing import fire_schedule, sweep_schedules
from apps.projects.actions.logs import append_log, store_log, store_logs
from apps.projects.actions.projects import (
    change_source,
    create_project,
    delete_project,
    describe_project,
    set_defaults,
)
from apps.projects.actions.queues import change_queue, create_queue, delete_queue, set_quota
from apps.projects.actions.reading import ask_reading, read_project
from apps.projects.actions.refusing import refusal_of
from apps.projects.actions.schedules import (
    Plan,
    change_schedule,
    create_schedule,
    delete_schedule,
    pause_schedule,
)
from apps.projects.actions.secrets import delete_secret, reseal_secrets, secrets_for, set_secret
from apps.projects.actions.submitting import submit_run
from apps.projects.actions.sweeping import end_lost_runs, sweep_runs
from apps.projects.actions.workers import forget_workers, register_worker, stop_worker

__all__ = [
    "Ending",
    "Fenced",
    "Held",
    "Kept",
    "Plan",
    "append_log",
    "ask_reading",
    "asked_to_cancel",
    "beat",
    "cancel_run",
    "cancelled_words",
    "change_queue",
    "change_schedule",
    "change_source",
    "claim_run",
    "create_project",
    "create_queue",
    "create_schedule",
    "delete_project",
    "delete_queue",
    "delete_schedule",
    "delete_secret",
    "describe_project",
    "drain_worker",
    "end_attempt",
    "end_lost_runs",
    "end_waiting",
    "fire_schedule",
    "forget_workers",
    "give_token",
    "is_something_waiting",
    "keep_archive",
    "open_archive",
    "pause_schedule",
    "prune_archives",
    "read_project",
    "refusal_of",
    "register_worker",
    "reseal_secrets",
    "resume_worker",
    "return_run",
    "secrets_for",
    "set_defaults",
    "set_quota",
    "set_secret",
    "start_build",
    "start_run",
    "stop_worker",
    "store_log",
    "store_logs",
    "submit_run",
    "sweep_runs",
    "sweep_schedules",
    "write_held",
]
