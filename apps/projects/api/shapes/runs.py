from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.api.shapes.projects import Values, Words
from apps.projects.asking.submission import HIGHEST, LOWEST, MAX_RETRIES, USUAL
from apps.projects.models import JobKind, Outcome, RunState, Trigger
from apps.projects.selectors.runs import STATES

MAX_REASON = 500
_KEY: dict[str, Any] = {"min_value": 1, "max_value": 2**53}


class ProjectRunShape(serializers.Serializer[Any]):
    """A queued or executed entry point; times are ms since the epoch. `run_id` is its run of the tracking protocol."""

    id = serializers.CharField(source="pk")
    kind = serializers.ChoiceField(JobKind.choices)
    team = serializers.CharField(source="team.name")
    project = serializers.CharField(source="project_id", allow_null=True)
    project_name = serializers.CharField()
    owner = serializers.CharField(source="owner_name")
    trigger = serializers.ChoiceField(Trigger.choices)
    entry_point = serializers.CharField()
    run_id = serializers.CharField(source="run.run_id", default=None, allow_null=True)
    experiment_id = serializers.CharField(allow_null=True)
    queue = serializers.CharField()
    priority = serializers.IntegerField()
    state = serializers.ChoiceField(RunState.choices)
    attempt = serializers.IntegerField()
    worker = serializers.CharField(source="worker_name")
    queued_ms = serializers.IntegerField()
    started_ms = serializers.IntegerField(allow_null=True)
    ended_ms = serializers.IntegerField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(help_text="Why it ended so, or waits.")


class AttemptShape(serializers.Serializer[Any]):
    """A try after which the run was queued again; times are ms since the epoch."""

    number = serializers.IntegerField()
    worker = serializers.CharField(source="worker_name")
    outcome = serializers.ChoiceField(Outcome.choices)
    message = serializers.CharField()
    exit_code = serializers.IntegerField(allow_null=True)
    claimed_ms = serializers.IntegerField(allow_null=True)
    started_ms = serializers.IntegerField(allow_null=True)
    ended_ms = serializers.IntegerField()


class ProjectRunPageShape(ProjectRunShape):
    """A run with all that was asked and came of it."""

    trigger_note = serializers.CharField()
    parent_id = serializers.CharField(allow_null=True)
    repeats_id = serializers.CharField(allow_null=True)
    schedule_id = serializers.CharField(allow_null=True)
    source_kind = serializers.CharField()
    source_uri = serializers.CharField()
    source_version = serializers.CharField()
    subfolder = serializers.CharField()
    archive = serializers.CharField(source="archive_id", allow_null=True)
    commit = serializers.CharField()
    params = serializers.DictField(child=serializers.CharField())
    env_vars = serializers.DictField(child=serializers.CharField())
    secrets = serializers.ListField(child=serializers.CharField(), help_text="Names.")
    docker_args = serializers.DictField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.JSONField())
    gpus = serializers.IntegerField()
    gpu_ids = serializers.ListField(child=serializers.JSONField())
    retries = serializers.IntegerField()
    retries_failures = serializers.BooleanField()
    backoff_s = serializers.IntegerField()
    not_before_ms = serializers.IntegerField()
    claimed_ms = serializers.IntegerField(allow_null=True)
    attempts = AttemptShape(many=True, help_text="Those before the one that goes on, or was the last; oldest first.")
    isolation = serializers.CharField()
    unenforced = serializers.ListField(child=serializers.JSONField(), help_text="Limits that its host can't hold.")
    environment = serializers.CharField()
    cancel_ms = serializers.IntegerField(allow_null=True)
    cancelled_by = serializers.CharField()
    cancel_reason = serializers.CharField()
    log_bytes = serializers.IntegerField()
    log_lines = serializers.IntegerField()
    log_cut = serializers.BooleanField()


class RunQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(list(STATES), required=False, default="")
    queue = serializers.CharField(max_length=63, required=False, default="")
    project = serializers.IntegerField(required=False, default=None, help_text="The id of a project.", **_KEY)
    text = serializers.CharField(
        max_length=100, required=False, default="", help_text="Of projects whose name contains it."
    )
    owner = serializers.CharField(max_length=150, required=False)
    mine = serializers.BooleanField(required=False, default=False)


class AskedFields(serializers.Serializer[Any]):
    """What a run is asked for; what is left out is as the project has it."""

    entry_point = Words(max_length=250, required=False, help_text="Empty: `main`, else the only one.")
    params = Values(required=False)
    env_vars = Values(required=False)
    secrets = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=100)
    docker_args = Values(required=False)
    queue = serializers.CharField(max_length=63, required=False)
    priority = serializers.IntegerField(
        min_value=LOWEST, max_value=HIGHEST, required=False, help_text=f"Higher goes first; usually {USUAL}."
    )
    limits = serializers.DictField(required=False, help_text="seconds, cpus, memory_mb, processes, file_mb, disk_mb …")
    gpus = serializers.IntegerField(min_value=0, max_value=64, required=False)
    retries = serializers.IntegerField(
        min_value=0, max_value=MAX_RETRIES, required=False, help_text="Attempts beyond the first."
    )
    retries_failures = serializers.BooleanField(
        required=False, help_text="Also after the command failed, not only after a worker was lost."
    )
    backoff_s = serializers.IntegerField(min_value=0, max_value=86_400, required=False)
    run_name = Words(max_length=250, required=False)
    source_version = Words(max_length=250, required=False)


class ExperimentFields(serializers.Serializer[Any]):
    experiment_id = serializers.CharField(max_length=20, required=False)
    experiment_name = serializers.CharField(max_length=500, required=False, help_text="Made where it isn't there.")


class NewRun(AskedFields, ExperimentFields):
    """Of a project, of an uploaded archive, or of both: the project with those files.

    Of an archive alone: of the project that has its name, which is made where there is none. `parent_run_id` is the
    tracking run of which it will be a child.
    """

    project = serializers.IntegerField(required=False, help_text="The id of a project.", **_KEY)
    project_name = Words(max_length=100, required=False, help_text="For an archive whose MLproject has no name.")
    archive = serializers.IntegerField(required=False, help_text="The id of an uploaded archive.", **_KEY)
    parent_run_id = serializers.CharField(max_length=64, required=False)
    tags = Values(required=False, help_text="Of its tracking run.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of both has to be there."""
        if "project" not in attrs and "archive" not in attrs:
            raise serializers.ValidationError({"project": "Name a project or an archive."})
        return attrs


class RepeatedRun(AskedFields, ExperimentFields):
    """What is asked otherwise than the first time."""


class Cancellation(serializers.Serializer[Any]):
    reason = Words(max_length=MAX_REASON, required=False, default="")


class LogQuery(serializers.Serializer[Any]):
    offset = serializers.IntegerField(
        min_value=0,
        max_value=2**53,
        required=False,
        default=0,
        help_text="In bytes; `X-Log-Offset` of the last answer.",
    )
    wait = serializers.FloatField(
        min_value=0, max_value=25, required=False, default=0, help_text="Seconds to wait for more, where there is none."
    )
