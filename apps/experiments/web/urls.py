from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from apps.experiments.web.views import experiments, home, runs

app_name = "experiments"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("experiments/", experiments.experiment_list, name="experiments"),
    path("experiments/new/", experiments.experiment_new, name="experiment_new"),
    path("experiments/compare/", experiments.experiments_compare, name="experiments_compare"),
    path("experiments/trash/", experiments.experiment_trash, name="experiment_trash"),
    path("experiments/<int:experiment_id>/", runs.run_list, name="experiment"),
    path("experiments/<int:experiment_id>/rows/", runs.run_rows, name="run_rows"),
    path("experiments/<int:experiment_id>/columns/", runs.run_columns, name="run_columns"),
    path("experiments/<int:experiment_id>/runs.csv", runs.run_export_csv, name="run_export"),
    path("experiments/<int:experiment_id>/selected/", runs.runs_selected, name="runs_selected"),
    path("experiments/<int:experiment_id>/models/", runs.experiment_models, name="experiment_models"),
    path("experiments/<int:experiment_id>/trash/", runs.run_trash, name="run_trash"),
    path("experiments/<int:experiment_id>/edit/", experiments.experiment_edit, name="experiment_edit"),
    path("experiments/<int:experiment_id>/delete/", experiments.experiment_delete, name="experiment_delete"),
    path("experiments/<int:experiment_id>/restore/", experiments.experiment_restore, name="experiment_restore"),
    path("", include("apps.experiments.web.run_urls")),
]
