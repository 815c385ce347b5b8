from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.projects.web.views import (
    builds,
    log,
    project_edit,
    projects,
    queues,
    run_edit,
    runs,
    schedules,
    secrets,
    starting,
    workers,
)

app_name = "projects"
_PROJECT = "projects/<slug:team>/<str:name>/"
_RUN = "project-runs/<int:run_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/", projects.project_list, name="projects"),
    # No project lies at a path of one part.
    path("projects/new/", project_edit.project_new, name="project_new"),
    path("project/<int:project_id>/", projects.project_by_id, name="project_by_id"),
    path(_PROJECT, projects.project_detail, name="project"),
    path(_PROJECT + "runs/", projects.project_runs, name="project_runs"),
    path(_PROJECT + "activity/", projects.project_activity, name="project_activity"),
    path(_PROJECT + "read/", projects.project_read, name="project_read"),
    path(_PROJECT + "settings/", project_edit.project_settings, name="project_settings"),
    path(_PROJECT + "source/", project_edit.project_source, name="project_source"),
    path(_PROJECT + "edit/", project_edit.project_edit, name="project_edit"),
    path(_PROJECT + "delete/", project_edit.project_delete, name="project_delete"),
    path(_PROJECT + "start/", starting.start, name="start"),
    path(_PROJECT + "start/preview/", starting.preview, name="start_preview"),
    path(_PROJECT + "schedules/", schedules.schedule_list, name="schedules"),
    path(_PROJECT + "schedules/new/", schedules.schedule_new, name="schedule_new"),
    path(_PROJECT + "schedules/preview/", schedules.schedule_preview, name="schedule_preview"),
    path(_PROJECT + "schedules/<int:schedule_id>/", schedules.schedule_change, name="schedule"),
    path(_PROJECT + "schedules/<int:schedule_id>/pause/", schedules.schedule_pause, name="schedule_pause"),
    path(_PROJECT + "schedules/<int:schedule_id>/delete/", schedules.schedule_delete, name="schedule_delete"),
    path("settings/secrets/", secrets.secret_list, name="secrets"),
    path("settings/secrets/<slug:team>/new/", secrets.secret_new, name="secret_new"),
    path("settings/secrets/<slug:team>/<str:name>/replace/", secrets.secret_replace, name="secret_replace"),
    path("settings/secrets/<slug:team>/<str:name>/delete/", secrets.secret_delete, name="secret_delete"),
    path("project-runs/", runs.run_list, name="runs"),
    path("project-runs/active/", runs.active_runs, name="active_runs"),
    path("project-runs/of/", runs.of_tracking_run, name="of_tracking_run"),
    path("project-runs/cancel/", run_edit.runs_cancel, name="runs_cancel"),
    path(_RUN, runs.run_detail, name="run"),
    path(_RUN + "activity/", runs.run_activity, name="run_activity"),
    path(_RUN + "cancel/", run_edit.run_cancel, name="run_cancel"),
    path(_RUN + "log/", log.run_log, name="run_log"),
    path(_RUN + "again/", starting.again, name="run_again"),
    path("models/<slug:team>/<str:name>/versions/<int:number>/build/", builds.build, name="build"),
    path("model-versions/<int:version_id>/build/", builds.build_by_id, name="build_by_id"),
    path("workers/", workers.worker_list, name="workers"),
    path("workers/<str:name>/drain/", workers.worker_drain, name="worker_drain"),
    path("workers/<str:name>/resume/", workers.worker_resume, name="worker_resume"),
    path("queues/", queues.queue_list, name="queues"),
    path("queues/new/", queues.queue_new, name="queue_new"),
    path("queues/quotas/<str:team>/", queues.quota, name="quota"),
    path("queues/<str:name>/edit/", queues.queue_edit, name="queue_edit"),
    path("queues/<str:name>/pause/", queues.queue_pause, name="queue_pause"),
    path("queues/<str:name>/delete/", queues.queue_delete, name="queue_delete"),
]
