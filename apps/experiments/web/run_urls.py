"""Pages of runs, comparison and logged models; part of this app's `web/urls.py`."""

from __future__ import annotations

from django.urls import path

from apps.experiments.web.views import charts, compare, logged_models, previews, run_detail, run_edit

urlpatterns = [
    path("runs/<slug:run_id>/", run_detail.run_overview, name="run"),
    path("runs/<slug:run_id>/metrics/", run_detail.run_metrics, name="run_metrics"),
    path("runs/<slug:run_id>/datasets/", run_detail.run_datasets, name="run_datasets"),
    path("runs/<slug:run_id>/metrics.json", charts.run_metrics, name="run_metrics_json"),
    path("runs/<slug:run_id>/live.json", charts.run_news, name="run_live_json"),
    path("runs/<slug:run_id>/artifacts/", previews.run_artifacts, name="run_artifacts"),
    path("runs/<slug:run_id>/artifacts/raw/", previews.run_raw, name="run_raw"),
    path("runs/<slug:run_id>/activity/", run_detail.run_activity, name="run_activity"),
    path("runs/<slug:run_id>/rename/", run_edit.rename, name="run_rename"),
    path("runs/<slug:run_id>/note/", run_edit.edit_note, name="run_note"),
    path("runs/<slug:run_id>/tag/", run_edit.edit_tag, name="run_tag"),
    path("runs/<slug:run_id>/delete/", run_edit.delete, name="run_delete"),
    path("runs/<slug:run_id>/restore/", run_edit.restore, name="run_restore"),
    path("logged-models/<str:model_id>/", logged_models.logged_model, name="logged_model"),
    path("logged-models/<str:model_id>/artifacts/", previews.model_artifacts, name="logged_model_artifacts"),
    path("logged-models/<str:model_id>/artifacts/raw/", previews.model_raw, name="logged_model_raw"),
    path("compare/", compare.compare, name="compare"),
    path("compare/metrics.json", charts.compared_metrics, name="compare_metrics_json"),
]
