from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Team, Token
from apps.experiments.models import Experiment, Run
from apps.projects.models.projects import Archive, Project
from apps.projects.models.queues import Worker
from apps.projects.querysets import ProjectRunQuerySet


class RunState(models.TextChoices):
    """A run is queued, preparing, running, then ended in one of the others, once.

    A retry goes back to queued under a higher attempt. `LOST`: its worker died or was cut off, and no attempt was left.
    """

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


HELD = (RunState.PREPARING, RunState.RUNNING)
ACTIVE = (RunState.QUEUED, *HELD)
ENDED = (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED, RunState.LOST)


class JobKind(models.TextChoices):
    """What a worker does: an entry point of a project, or the build of a model version."""

    PROJECT = "project"
    BUILD = "build"


class Trigger(models.TextChoices):
    """What made a run begin."""

    PERSON = "person"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    RUN = "run"


class ProjectRun(models.Model):
    """One queued or executed entry point. What it runs is fixed when it is queued; times are ms since the epoch.

    Whoever works on it holds `lease_until_ms` and writes under the `fence` it was claimed with: each claim counts it
    up, so a worker that comes back late changes nothing. `docs/adr/0009` tells the rules.
    """

    kind = models.CharField(max_length=8, choices=JobKind.choices, default=JobKind.PROJECT)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="project_runs", db_index=False)
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="runs")
    # Stays when the project goes.
    project_name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    owner_name = models.CharField(max_length=150)
    trigger = models.CharField(max_length=8, choices=Trigger.choices, default=Trigger.PERSON)
    trigger_note = models.CharField(max_length=500, blank=True)
    # The one that started it, of which its tracking run is a child; and the one that it repeats.
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    repeats = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    schedule = models.ForeignKey("projects.Schedule", null=True, on_delete=models.SET_NULL, related_name="runs")
    # Made by a caller, so that asking twice queues once.
    request_key = models.CharField(max_length=100, null=True, blank=True)

    source_kind = models.CharField(max_length=8, blank=True)
    source_uri = models.CharField(max_length=1000, blank=True)
    source_version = models.CharField(max_length=250, blank=True)
    subfolder = models.CharField(max_length=500, blank=True)
    archive = models.ForeignKey(Archive, null=True, on_delete=models.PROTECT, related_name="+")
    commit = models.CharField(max_length=64, blank=True)
    entry_point = models.CharField(max_length=250)
    params = models.JSONField(default=dict)
    docker_args = models.JSONField(default=dict)
    env_vars = models.JSONField(default=dict)
    # Names of the team's secrets that it is given.
    secrets = models.JSONField(default=list)
    # `apps.runtime.limits.Limits` as JSON.
    limits = models.JSONField(default=dict)
    gpus = models.PositiveSmallIntegerField(default=0)

    experiment = models.ForeignKey(Experiment, null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="project_run")
    token = models.ForeignKey(Token, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    queue = models.CharField(max_length=63)
    # Higher goes first; among equals who came first.
    priority = models.SmallIntegerField(default=50)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    # Attempts beyond the first: after a worker was lost, and with `retries_failures` also after it failed.
    retries = models.PositiveSmallIntegerField(default=0)
    retries_failures = models.BooleanField(default=False)
    backoff_s = models.PositiveIntegerField(default=10)
    not_before_ms = models.BigIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until_ms = models.BigIntegerField(null=True)
    worker = models.ForeignKey(Worker, null=True, on_delete=models.SET_NULL, related_name="runs")
    worker_name = models.CharField(max_length=200, blank=True)
    # How it was kept apart: `sandboxed`, `separate process` or `docker`, with what the host could not limit.
    isolation = models.CharField(max_length=20, blank=True)
    unenforced = models.JSONField(default=list)
    gpu_ids = models.JSONField(default=list)
    environment = models.CharField(max_length=100, blank=True)

    queued_ms = models.BigIntegerField()
    claimed_ms = models.BigIntegerField(null=True)
    started_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField(null=True)
    exit_code = models.IntegerField(null=True)
    # Why it ended so, or waits; a sentence.
    message = models.CharField(max_length=2000, blank=True)
    cancel_ms = models.BigIntegerField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)
    cancel_reason = models.CharField(max_length=500, blank=True)

    # How many bytes and lines of its log are kept; `log_cut`: more came than may be kept.
    log_bytes = models.BigIntegerField(default=0)
    log_lines = models.BigIntegerField(default=0)
    log_cut = models.BooleanField(default=False)
    # The whole log lies in `logs/output.log` of the run, and no chunks any more.
    log_stored = models.BooleanField(default=False)
    # The line that is being written, such as a progress bar.
    tail = models.CharField(max_length=500, blank=True)

    objects = ProjectRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("owner", "request_key"), name="project_run_asked_once", condition=Q(request_key__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(state__in=HELD, lease_until_ms__isnull=False) | ~Q(state__in=HELD),
                name="project_run_held_with_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=("queue", "-priority", "id"), name="project_run_next", condition=Q(state=RunState.QUEUED)
            ),
            models.Index(fields=("-priority", "id"), name="project_run_order", condition=Q(state=RunState.QUEUED)),
            models.Index(fields=("lease_until_ms",), name="project_run_leased", condition=Q(state__in=HELD)),
            models.Index(fields=("team", "-id"), name="project_run_of_team"),
            models.Index(fields=("project", "-id"), name="project_run_of_project"),
            models.Index(fields=("owner", "-id"), name="project_run_of_owner"),
            models.Index(
                fields=("ended_ms",),
                name="project_run_log_due",
                condition=Q(log_stored=False, log_bytes__gt=0, run__isnull=False, ended_ms__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_name} #{self.pk}"

    @property
    def is_active(self) -> bool:
        """Not ended."""
        return self.state in ACTIVE

    @property
    def is_held(self) -> bool:
        """A worker has it."""
        return self.state in HELD


class LogChunk(models.Model):
    """A piece of a run's log, whole lines, until the run has ended and the log is one file.

    `start` is its place in bytes. Each line begins with a time: `2026-11-30T06:40:58.123Z text`.
    """

    project_run = models.ForeignKey(ProjectRun, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    start = models.BigIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project_run", "start"), name="log_chunk_once")]

    def __str__(self) -> str:
        return f"{self.project_run} from {self.start}"
