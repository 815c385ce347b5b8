"""Django's admin shows projects and their runs and changes none: each change has its action, which checks and records.

Entries of the clock are made by schedules alone, so nobody edits them behind those.
"""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from apps.accounts.admin import ReadOnlyAdmin
from apps.projects.models import Archive, Attempt, Build, Project, ProjectRun, Queue, Quota, Schedule, Secret, Worker

admin.site.unregister([ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule])


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "source_kind", "source_uri", "queue", "owner")
    list_filter = ("source_kind", "team")
    list_select_related = ("team", "owner")
    search_fields = ("name", "source_uri")


@admin.register(ProjectRun)
class ProjectRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "project_name", "entry_point", "state", "attempt", "queue", "worker_name", "owner_name")
    list_filter = ("state", "kind", "trigger", "queue")
    list_select_related = ("team",)
    search_fields = ("project_name", "owner_name", "worker_name")
    raw_id_fields = ("run", "parent", "repeats", "token")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("project_run", "number", "outcome", "worker_name", "message", "exit_code")
    list_filter = ("outcome",)
    list_select_related = ("project_run",)
    search_fields = ("worker_name", "message")
    raw_id_fields = ("project_run",)


@admin.register(Archive)
class ArchiveAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "digest", "bytes", "files")
    list_select_related = ("team",)
    search_fields = ("name", "digest")


@admin.register(Queue)
class QueueAdmin(ReadOnlyAdmin):
    list_display = ("name", "is_paused", "max_running", "description")
    search_fields = ("name",)


@admin.register(Quota)
class QuotaAdmin(ReadOnlyAdmin):
    list_display = ("team", "max_running", "max_queued", "archive_bytes")
    list_select_related = ("team",)
    search_fields = ("team__name",)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "host", "pid", "concurrency", "is_draining", "version")
    search_fields = ("name", "host")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "cron", "timezone", "is_paused", "owner")
    list_filter = ("is_paused",)
    list_select_related = ("project", "owner")
    search_fields = ("name", "project__name")


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "description", "updated_by")
    list_select_related = ("team",)
    search_fields = ("name", "team__name")
    # Not even sealed: what is never shown is shown nowhere.
    exclude = ("sealed",)


@admin.register(Build)
class BuildAdmin(ReadOnlyAdmin):
    list_display = ("project_run", "version", "is_green", "error")
    list_filter = ("is_green",)
    list_select_related = ("project_run", "version__model")
    search_fields = ("version__model__name",)
