"""The route by which the protocol's pages fetch a file of a version. It streams, so it is no part of the table."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, re_path

from apps.core.actor import Scope
from apps.core.http import ActorRequest
from apps.core.mlflow.wire import missing_value
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.downloads import send_file
from apps.experiments.artifacts.routing import route
from apps.registry import access
from apps.registry.mlmodel import folder_of_version


@route("GET", "HEAD", also=Scope.REGISTRY, by_runs=True)
def version_file(request: ActorRequest) -> HttpResponseBase:
    """A file of a model version, for whoever may read the version."""
    name, number, path = (request.GET.get(key, "") for key in ("name", "version", "path"))
    for key, value in (("name", name), ("version", number), ("path", path)):
        if not value:
            raise missing_value(key)
    wanted = ArtifactPath.parse(path)
    return send_file(request, folder_of_version(access.get_version(request.actor, name, number)), wanted)


_API = r"^(?:ajax-)?api/2\.0/mlflow"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^model-versions/get-artifact\Z", version_file, name="version_file"),
    re_path(rf"{_API}/model-versions/get-artifact\Z", version_file, name="version_file_twin"),
]
