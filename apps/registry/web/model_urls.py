"""Pages of models, versions and prompts; part of this app's `web/urls.py`."""

from __future__ import annotations

from django.urls import path

from apps.registry.web.views import (
    comparing,
    discussion,
    model_edit,
    models,
    prompts,
    registering,
    version_edit,
    versions,
)

_MODEL = "models/<slug:team>/<str:name>/"
_VERSION = _MODEL + "versions/<int:number>/"

urlpatterns = [
    path("models/", models.model_list, name="models"),
    # No model lies at a path of one part.
    path("models/new/", model_edit.model_new, name="model_new"),
    path("models/register/", registering.register, name="register"),
    path("models/registered/", registering.registered_from, name="registered_from"),
    path("models/find/", models.model_find, name="model_find"),
    path("registered-models/<int:model_id>/", models.model_by_id, name="model_by_id"),
    path("model-versions/<int:version_id>/", models.version_by_id, name="version_by_id"),
    path(_MODEL, models.model_detail, name="model"),
    path(_MODEL + "activity/", models.model_activity, name="model_activity"),
    path("prompts/", prompts.prompt_list, name="prompts"),
    path("prompts/new/", prompts.prompt_new, name="prompt_new"),
    path("prompts/<slug:team>/<str:name>/", prompts.prompt_detail, name="prompt"),
    path("prompts/<slug:team>/<str:name>/write/", prompts.prompt_write, name="prompt_write"),
    path(_MODEL + "edit/", model_edit.model_edit, name="model_edit"),
    path(_MODEL + "delete/", model_edit.model_delete, name="model_delete"),
    path(_MODEL + "tag/", model_edit.model_tag, name="model_tag"),
    path(_MODEL + "compare/", comparing.compare, name="compare"),
    path(_VERSION, versions.version_detail, name="version"),
    path(_VERSION + "files/", versions.version_files, name="version_files"),
    path(_VERSION + "files/raw/", versions.version_raw, name="version_raw"),
    path(_VERSION + "lineage/", versions.version_lineage, name="version_lineage"),
    path(_VERSION + "activity/", versions.version_activity, name="version_activity"),
    path(_VERSION + "discussion/", discussion.version_discussion, name="version_discussion"),
    path("comments/<int:comment_id>/edit/", discussion.comment_edit, name="comment_edit"),
    path("comments/<int:comment_id>/delete/", discussion.comment_delete, name="comment_delete"),
    path(_VERSION + "describe/", version_edit.version_describe, name="version_describe"),
    path(_VERSION + "tag/", version_edit.version_tag, name="version_tag"),
    path(_VERSION + "delete/", version_edit.version_delete, name="version_delete"),
]
