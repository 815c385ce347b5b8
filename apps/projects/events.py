"""What this app writes into the audit log."""

from __future__ import annotations

from apps.audit.codes import declare
from apps.audit.links import declare_page

PROJECT_CREATED = declare("project.created", "created the project {object}")
PROJECT_CHANGED = declare("project.changed", "changed the project {object}")
PROJECT_DELETED = declare("project.deleted", "deleted the project {object}")
RUN_QUEUED = declare("project_run.queued", "queued the project run {object}")
RUN_STARTED = declare("project_run.started", "started the project run {object}")
RUN_RETRIED = declare("project_run.retried", "queued the project run {object} again")
RUN_ENDED = declare("project_run.ended", "ended the project run {object}")
RUN_CANCEL_ASKED = declare("project_run.cancel_asked", "asked to cancel the project run {object}")
SECRET_SET = declare("secret.set", "set the secret {object}")
SECRETS_RESEALED = declare("secret.resealed", "sealed all secrets with the newest key")
SECRET_DELETED = declare("secret.deleted", "deleted the secret {object}")
SCHEDULE_CREATED = declare("schedule.created", "created the schedule {object}")
SCHEDULE_CHANGED = declare("schedule.changed", "changed the schedule {object}")
SCHEDULE_DELETED = declare("schedule.deleted", "deleted the schedule {object}")
QUEUE_CREATED = declare("queue.created", "created the queue {object}")
QUEUE_CHANGED = declare("queue.changed", "changed the queue {object}")
QUEUE_DELETED = declare("queue.deleted", "deleted the queue {object}")
QUOTA_SET = declare("quota.set", "set the quota of {object}")
WORKER_DRAINED = declare("worker.drained", "drained the worker {object}")
WORKER_RESUMED = declare("worker.resumed", "let the worker {object} go on")

declare_page("project", "/project/{id}/")
declare_page("project_run", "/project-runs/{id}/")
