"""The calls of the protocol by which a client finds a model and fetches its files, to any server that speaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from apps.core.errors import DomainError, InvalidInput, NotFound, NotSignedIn, PermissionDenied, Unavailable
from apps.projects.running.tracking import DEFAULT_URI, headers_of, pool_of, unknown_words

_RETRIES = urllib3.Retry(total=4, backoff_factor=0.3, status_forcelist=(429, 502, 503, 504), allowed_methods=None)
_FILES = "api/2.0/mlflow-artifacts/artifacts"


class Tracker:
    """The server of `MLFLOW_TRACKING_URI`, with the caller's credentials: a token, or a name and a password.

    Nothing is called before it is needed: a model in a folder wants no server.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.uri = (env.get("MLFLOW_TRACKING_URI") or DEFAULT_URI).rstrip("/")
        self._pool, self._headers, self._env = pool_of(env, _RETRIES), headers_of(env), env

    def get(self, route: str, **query: str) -> dict[str, Any]:
        """An answer of `/api/2.0/mlflow/ROUTE`. Raises `NotFound` and other `DomainError`s, in the server's words."""
        return self._call("GET", f"api/2.0/mlflow/{route}?{urlencode(query)}")

    def post(self, route: str, body: Mapping[str, Any], *, api: str = "2.0") -> dict[str, Any]:
        """The same, with a body."""
        return self._call("POST", f"api/{api}/mlflow/{route}", dict(body))

    def get_v1(self, path: str) -> dict[str, Any]:
        """An answer of Slipway's own API. Raises `NotFound` also where the server is another."""
        return self._call("GET", f"api/v1/{path}")

    def logged_model(self, model_id: str) -> dict[str, Any]:
        """A logged model of clients from 3.0 on."""
        found = self._call("GET", f"api/2.0/mlflow/logged-models/{quote(model_id, safe='')}")
        model: dict[str, Any] = found["model"]["info"]
        return model

    def list_files(self, path: str) -> list[dict[str, Any]]:
        """What lies directly in a folder of the server's store: `path` (its name alone), `is_dir`, `file_size`."""
        files: list[dict[str, Any]] = self._call("GET", f"{_FILES}?{urlencode({'path': path})}").get("files", [])
        return files

    @contextmanager
    def open_file(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a file of the server's store, in pieces. Raises `NotFound`, and `Unavailable` when cut off."""
        answer = self._request("GET", f"{_FILES}/{quote(path)}", preload_content=False)
        try:
            if answer.status != 200:
                raise _refusal(answer, self.uri, self._env)
            yield self._pieces(answer)
        finally:
            answer.close()

    def _pieces(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        try:
            yield from answer.stream(1024 * 1024)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(f"{self.uri} broke off in the middle of a file ({type(error).__name__}).") from error

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._request(method, path, **({"json": body} if body is not None else {}))
        if answer.status >= 400:
            raise _refusal(answer, self.uri, self._env)
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise InvalidInput(f"{self.uri} is no tracking server: it answered {answer.status} and no JSON.")
        return found

    def _request(self, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        if not self.uri.startswith(("http://", "https://")):
            raise InvalidInput(f"MLFLOW_TRACKING_URI is '{self.uri[:200]}'; a server is wanted, http:// or https://.")
        try:
            return self._pool.request(method, f"{self.uri}/{path}", headers=self._headers, **more)
        except urllib3.exceptions.HTTPError as error:
            why = type(getattr(error, "reason", None) or error).__name__
            raise Unavailable(f"{self.uri} does not answer ({why}). Is MLFLOW_TRACKING_URI right?") from error


def _refusal(answer: urllib3.BaseHTTPResponse, uri: str, env: Mapping[str, str]) -> DomainError:
    try:
        body = answer.json()
        message = str(body.get("message", "")) if isinstance(body, dict) else ""
    except ValueError:
        message = ""
    message = message or f"It answered {answer.status}"
    match answer.status:
        case 401:
            return NotSignedIn(unknown_words(uri, env))
        case 403:
            return PermissionDenied(message)
        case 404:
            return NotFound(f"{message.rstrip('.')} on {uri}.")
        case 429 | 502 | 503 | 504:
            return Unavailable(message)
    return InvalidInput(message)
