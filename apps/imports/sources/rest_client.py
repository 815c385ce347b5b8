"""Calls to a live server, whose answers are somebody else's: read as JSON, and never trusted to be of a shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from apps.core.errors import NotFound
from apps.experiments.artifacts.store import CHUNK
from apps.imports.sources.base import BrokenSource
from apps.projects.running.tracking import headers_of, pool_of

_RETRIES = urllib3.Retry(
    total=5, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), allowed_methods=None, redirect=0
)


class RestClient:
    """The server at `url`, with the credentials that the environment has for MLflow's own client."""

    def __init__(self, url: str, env: Mapping[str, str], workspace: str = "") -> None:
        if "@" in urlsplit(url).netloc:
            # The address becomes a tag that all may read.
            raise BrokenSource("Give name and password as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.")
        self.url = url.rstrip("/")
        self._pool = pool_of(env, _RETRIES)
        self._headers = headers_of(env) | ({"X-MLFLOW-WORKSPACE": workspace} if workspace else {})

    def get(self, route: str, /, **values: Any) -> dict[str, Any]:
        """Raises `NotFound`, and `BrokenSource` for all else that is no answer."""
        return self._json("GET", f"{self.url}/api/2.0/mlflow/{route}?{urlencode(values)}", None)

    def post(self, route: str, /, **values: Any) -> dict[str, Any]:
        """Raises as `get` does."""
        return self._json("POST", f"{self.url}/api/2.0/mlflow/{route}", values)

    def pages(self, method: str, route: str, field: str, /, **values: Any) -> Iterator[dict[str, Any]]:
        """All items of a list that comes in pages."""
        call = self.get if method == "GET" else self.post
        token = ""
        while True:
            answer = call(route, **values, **({"page_token": token} if token else {}))
            yield from answer.get(field) or ()
            token = answer.get("next_page_token") or ""
            if not token:
                return

    def download(self, path: str, /, **values: str) -> Iterator[bytes]:
        """The bytes of a file, in chunks. Raises `NotFound`."""
        answer = self._request("GET", f"{self.url}/{path}?{urlencode(values)}", None, stream=True)
        try:
            if answer.status != 200:
                raise NotFound(f"the server answered {answer.status}")
            yield from answer.stream(CHUNK)
        except urllib3.exceptions.HTTPError as error:
            raise BrokenSource(f"{self.url} broke off: {type(error).__name__}.") from error
        finally:
            answer.release_conn()

    def _json(self, method: str, url: str, body: Any) -> dict[str, Any]:
        answer = self._request(method, url, body)
        try:
            found = answer.json()
        except (ValueError, UnicodeError):
            found = None
        if answer.status == 404:
            raise NotFound("Not found.")
        if answer.status in (401, 403):
            raise BrokenSource(f"{self.url} wants to know who asks: set MLFLOW_TRACKING_TOKEN, or name and password.")
        if answer.status >= 400 or not isinstance(found, dict):
            said = found.get("message", "") if isinstance(found, dict) else ""
            raise BrokenSource(f"{self.url} answered {answer.status} {str(said)[:200]!r}: is it a tracking server?")
        return found

    def _request(self, method: str, url: str, body: Any, *, stream: bool = False) -> Any:
        try:
            return self._pool.request(
                method, url, headers=self._headers, json=body, preload_content=not stream, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise BrokenSource(f"{self.url} does not answer: {type(error).__name__}.") from error


class RestTree:
    """The files of a run or logged model, through the server: it knows where they are."""

    def __init__(self, client: RestClient, listing: str, download: str, name: str, values: Mapping[str, str]) -> None:
        self._client, self._listing, self._download = client, listing, download
        self._name, self._values = name, dict(values)

    def files(self) -> Iterator[tuple[str, int]]:
        """All files, anywhere below."""
        return self._below("", 0)

    def read(self, path: str) -> Iterator[bytes]:
        """Raises `NotFound`."""
        key = "path" if self._name == "path" else "artifact_file_path"
        return self._client.download(self._download, **self._values, **{key: path})

    def _below(self, folder: str, depth: int) -> Iterator[tuple[str, int]]:
        asked = self._values | ({self._name: folder} if folder else {})
        try:
            found = list(self._client.pages("GET", self._listing, "files", **asked))
        except NotFound:
            return
        for entry in found:
            path = str(entry.get("path", ""))
            # A listing that leads out of the folder, or in a circle, is not followed.
            if not path.startswith(f"{folder}/" if folder else "") or path == folder or depth > 32:
                continue
            if entry.get("is_dir"):
                yield from self._below(path, depth + 1)
            else:
                yield path, int(entry.get("file_size") or 0)


def tree_of_run(client: RestClient, run_id: str) -> RestTree:
    """The files of a run."""
    # The page's own route for a file names the run as it was called first.
    return RestTree(client, "artifacts/list", "get-artifact", "path", {"run_id": run_id, "run_uuid": run_id})


def tree_of_model(client: RestClient, model_id: str) -> RestTree:
    """The files of a logged model."""
    base = f"logged-models/{quote(model_id, safe='')}/artifacts"
    return RestTree(client, f"{base}/directories", f"ajax-api/2.0/mlflow/{base}/files", "artifact_directory_path", {})
