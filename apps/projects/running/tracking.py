"""The few calls of the protocol that a run of a project needs, to any server that speaks it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from apps.core.errors import InvalidInput, NotFound, NotSignedIn, Unavailable

DEFAULT_URI = "http://127.0.0.1:5000"
_RETRIES = urllib3.Retry(total=4, backoff_factor=0.3, status_forcelist=(429, 502, 503, 504), allowed_methods=None)
_MAX_PARAM = 6000


class Tracking:
    """A tracking server, with the caller's credentials: a token, or a name and a password."""

    def __init__(self, uri: str, env: Mapping[str, str]) -> None:
        if not uri.startswith(("http://", "https://")):
            raise InvalidInput(f"MLFLOW_TRACKING_URI is '{uri[:200]}'; a run needs a server, http:// or https://.")
        self.uri = uri.rstrip("/")
        self._pool, self._env = pool_of(env, _RETRIES), env
        self._headers = {"Content-Type": "application/json", **headers_of(env)}

    def experiment_id(self, name: str) -> str:
        """The id of an experiment by name, which is made where it isn't there."""
        try:
            found = self._call("GET", "experiments/get-by-name", {"experiment_name": name})
            return str(found["experiment"]["experiment_id"])
        except NotFound:
            return str(self._call("POST", "experiments/create", {"name": name})["experiment_id"])

    def start_run(self, experiment_id: str, name: str, user: str, tags: Mapping[str, str]) -> str:
        """The id of a new run."""
        body = {
            "experiment_id": experiment_id,
            "start_time": _now_ms(),
            "user_id": user,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
            **({"run_name": name} if name else {}),
        }
        run: str = self._call("POST", "runs/create", body)["run"]["info"]["run_id"]
        return run

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """The values a run is made with."""
        pairs = [{"key": key, "value": value[:_MAX_PARAM]} for key, value in params.items()]
        for start in range(0, len(pairs), 100):
            self._call("POST", "runs/log-batch", {"run_id": run_id, "params": pairs[start : start + 100]})

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """What is known of a run only when it has begun."""
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        self._call("POST", "runs/log-batch", {"run_id": run_id, "tags": pairs})

    def end_run(self, run_id: str, status: str) -> None:
        """FINISHED, FAILED or KILLED."""
        self._call("POST", "runs/update", {"run_id": run_id, "status": status, "end_time": _now_ms()})

    def _call(self, method: str, route: str, values: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.uri}/api/2.0/mlflow/{route}"
        query = "?" + urlencode(values) if method == "GET" else ""
        try:
            answer = self._pool.request(
                method, url + query, headers=self._headers, json=None if method == "GET" else values
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(
                f"{self.uri} does not answer ({type(error).__name__}). Is MLFLOW_TRACKING_URI right?"
            ) from error
        if answer.status == 401:
            raise NotSignedIn(unknown_words(self.uri, self._env))
        return _checked(answer, self.uri)


def _checked(answer: urllib3.BaseHTTPResponse, uri: str) -> dict[str, Any]:
    try:
        body = answer.json()
        message = str(body.get("message", "")) if isinstance(body, dict) else ""
    except ValueError as error:
        raise Unavailable(f"{uri} is no tracking server: it answered {answer.status} and no JSON.") from error
    if answer.status == 404:
        raise NotFound(message or "Not found.")
    if answer.status >= 400 or not isinstance(body, dict):
        raise InvalidInput(f"{uri} refused: {message or answer.status}")
    return body


def pool_of(env: Mapping[str, str], retries: urllib3.Retry | bool) -> urllib3.PoolManager:
    """Connections to servers, whose certificates are checked unless the environment says otherwise.

    By the system's authorities, or those in the file that the mlflow client would read.
    """
    verify = env.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() not in ("1", "true")
    certificates = "CERT_REQUIRED" if verify else "CERT_NONE"
    authorities = env.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or env.get("REQUESTS_CA_BUNDLE") or None
    return urllib3.PoolManager(
        cert_reqs=certificates, ca_certs=authorities, timeout=urllib3.Timeout(30), retries=retries
    )


def headers_of(env: Mapping[str, str]) -> dict[str, str]:
    """Who calls, and for which team."""
    team = env.get("MLFLOW_WORKSPACE")
    return {**_credentials(env), **({"X-MLFLOW-WORKSPACE": team} if team else {})}


def _credentials(env: Mapping[str, str]) -> dict[str, str]:
    if token := env.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if name := env.get("MLFLOW_TRACKING_USERNAME"):
        return dict(urllib3.make_headers(basic_auth=f"{name}:{env.get('MLFLOW_TRACKING_PASSWORD', '')}"))
    return {}


def unknown_words(uri: str, env: Mapping[str, str]) -> str:
    """What to say where a server does not know who calls: with nothing to show, or with what it does not accept."""
    if env.get("MLFLOW_TRACKING_TOKEN"):
        why = "it is wrong, expired, revoked or of another server"
        return (
            f"{uri} does not accept the token in MLFLOW_TRACKING_TOKEN: {why}; `slipway token create NAME` makes one."
        )
    if env.get("MLFLOW_TRACKING_USERNAME"):
        return f"{uri} does not accept the name and password in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
    wanted = "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    return f"{uri} does not know who you are; {wanted}."


def tracking_from_environment(env: Mapping[str, str] | None = None) -> Tracking:
    """The server of `MLFLOW_TRACKING_URI`, else the one that `slipway up` starts on this machine."""
    env = os.environ if env is None else env
    return Tracking(env.get("MLFLOW_TRACKING_URI") or DEFAULT_URI, env)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
