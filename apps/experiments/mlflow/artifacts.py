from __future__ import annotations

from typing import Any

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, RunRequest
from apps.core.pagination import decode_token, encode_token, query_fingerprint
from apps.core.paths import ArtifactPath
from apps.experiments import access
from apps.experiments.artifacts import multipart
from apps.experiments.artifacts.folders import ArtifactFolder, folder_of_logged_model, folder_of_run
from apps.experiments.artifacts.shapes import shown_files

FILES_OF_A_PAGE = 10_000
DEFAULT_SECONDS = 15 * 60
MAX_SECONDS = 7 * 24 * 60 * 60


class ListArtifacts(RunRequest):
    path: str = ""
    page_token: str = ""


class SignUpload(Request):
    required = ("path",)
    run_id: str = ""
    model_id: str = ""
    path: str = ""
    expiration: Int64 = 0


class SignDownload(Request):
    required = ("run_id", "path")
    run_id: str = ""
    path: str = ""
    expiration: Int64 = 0


class ListModelArtifacts(Request):
    required = ("model_id",)
    model_id: str = ""
    artifact_directory_path: str = ""
    page_token: str = ""


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def list_artifacts(actor: Actor, request: ListArtifacts) -> Any:
    path = ArtifactPath.parse_or_root(request.path)
    folder = folder_of_run(access.get_run(actor, request.run_id))
    return _page(actor, folder, path, request.page_token)


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def list_logged_model_artifacts(actor: Actor, request: ListModelArtifacts) -> Any:
    path = ArtifactPath.parse_or_root(request.artifact_directory_path)
    folder = folder_of_logged_model(access.get_logged_model(actor, request.model_id))
    return _page(actor, folder, path, request.page_token)


@endpoint(Scope.TRACKING)
def sign_upload(actor: Actor, request: SignUpload) -> Any:
    if bool(request.run_id) == bool(request.model_id):
        raise InvalidInput("Exactly one of run_id and model_id must be provided.")
    path, seconds = ArtifactPath.parse(request.path), _checked_seconds(request.expiration or DEFAULT_SECONDS)
    if request.run_id:
        folder = folder_of_run(access.get_run(actor, request.run_id, Level.EDIT))
    else:
        folder = folder_of_logged_model(access.get_logged_model(actor, request.model_id, Level.EDIT))
    return multipart.sign_upload(folder, path, seconds)


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def sign_download(actor: Actor, request: SignDownload) -> Any:
    path, seconds = ArtifactPath.parse(request.path), _checked_seconds(request.expiration or DEFAULT_SECONDS)
    signed = multipart.sign_download(folder_of_run(access.get_run(actor, request.run_id)), path, seconds)
    return {"presigned_url": signed.pop("url"), **signed}


def _checked_seconds(seconds: int) -> int:
    if not 1 <= seconds <= MAX_SECONDS:
        raise InvalidInput(f"expiration must be between 1 and {MAX_SECONDS} seconds (got {seconds}).")
    return seconds


def _page(actor: Actor, folder: ArtifactFolder, path: ArtifactPath, token: str) -> Any:
    """A page of a folder; the token leads on after the last path shown."""
    fingerprint = query_fingerprint(actor, folder.uri, str(path))
    after = str(decode_token(fingerprint, token)[0]) if token else ""
    entries = [entry for entry in folder.list(path) if entry.path > after]
    shown = entries[:FILES_OF_A_PAGE]
    answer = shown_files(shown, root_uri=folder.uri)
    if len(entries) > len(shown):
        answer["next_page_token"] = encode_token(fingerprint, [shown[-1].path])
    return answer


ROUTES = [
    Route("POST", "2.0/mlflow/artifacts/presigned-upload-url", sign_upload),
    Route("POST", "2.0/mlflow/artifacts/presigned-download-url", sign_download),
    Route("GET", "2.0/mlflow/artifacts/list", list_artifacts),
    Route("GET", "2.0/mlflow/logged-models/{model_id}/artifacts/directories", list_logged_model_artifacts),
]
