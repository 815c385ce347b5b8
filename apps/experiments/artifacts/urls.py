"""Each route below `/api/` and `/ajax-api/` alike. A path is what is left of the address, decoded once."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from apps.experiments.artifacts import views

_API = r"^(?:ajax-)?api/2\.0/mlflow"
# To the very end: a dot alone would stop at a line break, a dollar before one.
_PATH = r"(?P<path>(?s:.*))\Z"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(rf"{_API}-artifacts/artifacts\Z", views.proxied_list, name="artifact_list"),
    re_path(rf"{_API}-artifacts/artifacts/{_PATH}", views.proxied_file, name="artifact_file"),
    re_path(rf"{_API}-artifacts/mpu/create/{_PATH}", views.create_upload, name="artifact_create_upload"),
    re_path(rf"{_API}-artifacts/mpu/complete/{_PATH}", views.complete_upload, name="artifact_complete_upload"),
    re_path(rf"{_API}-artifacts/mpu/abort/{_PATH}", views.abort_upload, name="artifact_abort_upload"),
    re_path(rf"{_API}-artifacts/presigned/{_PATH}", views.signed_download, name="artifact_signed_download"),
    re_path(r"^get-artifact\Z", views.run_file, name="run_file"),
    re_path(rf"{_API}/get-artifact\Z", views.run_file, name="run_file_twin"),
    re_path(rf"{_API}/upload-artifact\Z", views.simple_upload, name="artifact_upload"),
    re_path(
        rf"{_API}/logged-models/(?P<model_id>[^/]+)/artifacts/files\Z",
        views.logged_model_file,
        name="logged_model_file",
    ),
]
