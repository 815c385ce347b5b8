"""The routes that carry files. They stream, so they are views of their own and no part of the protocol's table."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import BadRequest, InvalidInput
from apps.core.http import ActorRequest, json_response
from apps.core.mlflow.wire import missing_value, read_request
from apps.core.paths import ArtifactPath
from apps.experiments import access, live
from apps.experiments.artifacts import multipart
from apps.experiments.artifacts.bodies import Body
from apps.experiments.artifacts.downloads import send_file
from apps.experiments.artifacts.folders import ArtifactFolder, folder_of_logged_model, folder_of_run, resolve
from apps.experiments.artifacts.routing import route
from apps.experiments.artifacts.shapes import shown_files

MAX_SIMPLE_UPLOAD = 10 * 1024 * 1024


@route("GET", "HEAD", "PUT", "DELETE", also=Scope.REGISTRY, by_runs=True)
def proxied_file(request: ActorRequest, path: str) -> HttpResponseBase:
    """A file of the proxied store: read, written or deleted."""
    if request.method == "PUT":
        return _upload(request, ArtifactPath.parse(path))
    if request.method == "DELETE":
        # The client means a whole folder when it ends the address with a slash.
        return _delete(request.actor, ArtifactPath.parse(path.removesuffix("/")))
    folder, rest = resolve(request.actor, ArtifactPath.parse(path), Level.READ)
    return send_file(request, folder, rest)


@route("GET", also=Scope.REGISTRY, by_runs=True)
def proxied_list(request: ActorRequest) -> HttpResponseBase:
    """What lies directly in a folder of the proxied store, by name."""
    folder, rest = resolve(request.actor, ArtifactPath.parse_or_root(request.GET.get("path", "")), Level.READ)
    entries = folder.list(rest)
    return json_response(shown_files(entries, below=rest))


@route("GET", "HEAD", by_runs=True)
def run_file(request: ActorRequest) -> HttpResponseBase:
    """A file of a run, by the run's id."""
    run_id = request.GET.get("run_id") or request.GET.get("run_uuid") or ""
    if not run_id:
        raise missing_value("run_id")
    folder = folder_of_run(access.get_run(request.actor, run_id))
    return send_file(request, folder, ArtifactPath.parse(_query(request, "path")))


@route("GET", "HEAD", by_runs=True)
def logged_model_file(request: ActorRequest, model_id: str) -> HttpResponseBase:
    """A file of a logged model."""
    path = request.GET.get("artifact_file_path", "")
    if not path:
        raise BadRequest('Request must include the "artifact_file_path" query parameter.')
    folder = folder_of_logged_model(access.get_logged_model(request.actor, model_id))
    return send_file(request, folder, ArtifactPath.parse(path))


@route("POST", by_runs=True)
def simple_upload(request: ActorRequest) -> HttpResponseBase:
    """A small file of a run, as the body of one call."""
    run_id, path = request.GET.get("run_uuid", ""), request.GET.get("path", "")
    for name, value in (("run_uuid", run_id), ("path", path)):
        if not value:
            raise InvalidInput(f"Request must specify {name}.")
    checked = ArtifactPath.parse(path)
    folder = folder_of_run(access.get_run(request.actor, run_id, Level.EDIT))
    body = Body(request, at_most=MAX_SIMPLE_UPLOAD)
    if not body.length:
        raise InvalidInput("Request must specify data.")
    write(folder, checked, body)
    return json_response({})


@route("POST", by_runs=True)
def create_upload(request: ActorRequest, path: str) -> HttpResponseBase:
    """Begin an upload in parts of a file into the folder `path`."""
    asked = read_request(multipart.CreateUpload, request, {})
    folder, target = _upload_target(request.actor, path, asked.path)
    return json_response(multipart.create_upload(folder, target, asked.num_parts))


@route("POST", by_runs=True)
def complete_upload(request: ActorRequest, path: str) -> HttpResponseBase:
    """Make the parts a file."""
    asked = read_request(multipart.CompleteUpload, request, {})
    folder, target = _upload_target(request.actor, path, asked.path)
    multipart.complete_upload(folder, target, asked.upload_id, asked.parts)
    tell(folder)
    return json_response({})


@route("POST", by_runs=True)
def abort_upload(request: ActorRequest, path: str) -> HttpResponseBase:
    """Throw the parts away."""
    asked = read_request(multipart.AbortUpload, request, {})
    folder, target = _upload_target(request.actor, path, asked.path)
    multipart.abort_upload(folder, target, asked.upload_id)
    return json_response({})


@route("GET", also=Scope.REGISTRY, by_runs=True)
def signed_download(request: ActorRequest, path: str) -> HttpResponseBase:
    """An address from which a file can be fetched without us."""
    folder, rest = resolve(request.actor, ArtifactPath.parse(path), Level.READ)
    return json_response(multipart.sign_download(folder, rest))


def _upload_target(actor: Actor, path: str, local_file: str) -> tuple[ArtifactFolder, ArtifactPath]:
    folder, rest = resolve(actor, ArtifactPath.parse(path), Level.EDIT)
    return folder, multipart.target_of(rest, local_file)


def write(folder: ArtifactFolder, path: ArtifactPath, body: Body) -> None:
    """Keep a file and tell open pages of it."""
    if not path.segments:
        raise InvalidInput("Invalid path: a file below the folder has to be named.")
    folder.write(path, body, body.length)
    tell(folder)


def tell(folder: ArtifactFolder) -> None:
    """Have open pages of the folder's run look again."""
    if folder.run_id:
        live.touch(folder.run_id, "artifacts")


def _upload(request: ActorRequest, path: ArtifactPath) -> HttpResponseBase:
    folder, rest = resolve(request.actor, path, Level.EDIT)
    write(folder, rest, Body(request))
    return json_response({})


def _delete(actor: Actor, path: ArtifactPath) -> HttpResponseBase:
    folder, rest = resolve(actor, path, Level.MANAGE)
    folder.delete(rest)
    tell(folder)
    return json_response({})


def _query(request: HttpRequest, name: str) -> str:
    value: Any = request.GET.get(name)
    if not value:
        raise missing_value(name)
    return str(value)
