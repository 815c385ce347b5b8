"""The target `slipway` of the mlflow client: `mlflow deployments create -t slipway …`, `get_deploy_client("slipway")`.

The client loads this by its entry point, looks for the one class of its kind in it, and shows `target_help` to people.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from apps.core.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    PermissionDenied,
)
from apps.deployments.client import plugin_words as words
from apps.deployments.client.bodies import body_of
from apps.deployments.client.server import Server, lines_of
from apps.deployments.client.waiting import wait_until_gone, wait_until_serving

_base: Any = object
# Slipway itself does without the client; who asks for this plug-in has it.
if find_spec("mlflow"):
    _base = import_module("mlflow.deployments").BaseDeploymentClient

FLAVOR = "python_function"
_JSON = "application/json"
_CODES = {
    AlreadyExists: "RESOURCE_ALREADY_EXISTS",
    Conflict: "INVALID_STATE",
    InvalidInput: "INVALID_PARAMETER_VALUE",
    NotFound: "RESOURCE_DOES_NOT_EXIST",
    NotSignedIn: "UNAUTHENTICATED",
    PermissionDenied: "PERMISSION_DENIED",
}


class SlipwayDeploymentClient(_base):  # type: ignore[misc]
    """Deployments of a Slipway server: the one of the tracking URI, or that which the target's URI names.

    `config` takes what `target_help` lists. Errors are the client's `MlflowException`.
    """

    def __init__(self, target_uri: str) -> None:
        super().__init__(target_uri)
        with _told():
            self._server = Server(words.server_uri(target_uri, _tracking_uri()), os.environ, _say)

    def create_deployment(
        self,
        name: str,
        model_uri: str,
        flavor: str | None = None,
        config: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Serve a version of a registered model, and wait until it answers, unless `wait` is false."""
        with _told():
            _check(name, flavor, endpoint)
            asked = words.asked_of(config)
            made = self._server.create({"name": name, "version": model_uri, "config": asked.config, **asked.rules})
            return self._waited(name, made["revision"], asked)

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Serve another version or configuration, or change rules; waits as `create_deployment` does."""
        with _told():
            _check(name, flavor, endpoint)
            asked = words.asked_of(config)
            if asked.rules:
                self._server.change(name, asked.rules)
            number = None
            if model_uri or asked.config or asked.canary:
                given = {"version": model_uri, "config": asked.config or None, "canary": asked.canary}
                number = self._server.act(name, "deploy", reason=asked.reason, **given)["number"]
            elif not asked.rules:
                raise InvalidInput("Say what to change: model_uri, or a field of config.")
            return self._waited(name, number, asked) if number else _shown(self._server.get(name))

    def delete_deployment(
        self, name: str, config: Mapping[str, Any] | None = None, endpoint: str | None = None
    ) -> None:
        """Stop it, and remove it with its revisions, for good. One that is not there is gone already."""
        with _told():
            _check(name, None, endpoint)
            asked = words.asked_of(config)
            try:
                self._server.act(name, "stop", reason=asked.reason)
                wait_until_gone(self._server, name, seconds=asked.seconds, say=_say)
                self._server.delete(name)
            except NotFound:
                return

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """All of the team that the client speaks for, and what was granted; or the one of that name."""
        with _told():
            found = self._server.deployments(name=endpoint)
            return [_shown(each) for each in found]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """All about one."""
        with _told():
            _check(name, None, endpoint)
            return _shown(self._server.get(name))

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """The client's `PredictionsResponse` for a data frame, array, list, dict, or a whole body as text."""
        with _told():
            answer = self._server.invoke(_called(deployment_name, endpoint), body_of(inputs), _JSON)
            return import_module("mlflow.deployments").PredictionsResponse.from_json(answer.read().decode())

    def predict_stream(
        self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Piece by piece, for a model that streams behind MLflow's own scoring server (`server=mlflow`)."""
        with _told():
            body = json.dumps(json.loads(body_of(inputs)) | {"stream": True}).encode()
            for line in lines_of(self._server.invoke(_called(deployment_name, endpoint), body, _JSON)):
                said = line.removeprefix(b"data:").strip()
                if said and said != b"[DONE]" and not line.startswith((b":", b"event:", b"id:", b"retry:")):
                    yield json.loads(said)

    def explain(self, deployment_name: str | None = None, df: Any = None, endpoint: str | None = None) -> Any:
        """Refused: a deployment answers what its model predicts."""
        raise _exception(InvalidInput("Deployments of Slipway predict; explain a model where its files are."))

    def create_endpoint(self, name: str, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Refused: each deployment is an endpoint."""
        raise _exception(InvalidInput("Each deployment of Slipway is an endpoint of its name: create a deployment."))

    def update_endpoint(self, endpoint: str, config: Mapping[str, Any] | None = None) -> None:
        """Its rules and port, as `update_deployment` changes them."""
        self.update_deployment(endpoint, config=config)

    def delete_endpoint(self, endpoint: str) -> None:
        """As `delete_deployment`."""
        self.delete_deployment(endpoint)

    def list_endpoints(self) -> list[dict[str, Any]]:
        """Each deployment with the address at which it is called."""
        with _told():
            return [self._endpoint(each) for each in self._server.deployments()]

    def get_endpoint(self, endpoint: str) -> dict[str, Any]:
        """The address of one."""
        with _told():
            return self._endpoint(self._server.get(endpoint))

    def _endpoint(self, deployment: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: deployment[name] for name in ("name", "state", "message", "routes")}
        return {**named, "url": self._server.uri + deployment["path"]}

    def _waited(self, name: str, number: int, asked: words.Asked) -> dict[str, Any]:
        if asked.waits:
            outcome = wait_until_serving(self._server, name, number, seconds=asked.seconds, say=_say)
            if not outcome.is_well:
                raise Conflict(outcome.said)
        return _shown(self._server.get(name))


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Mapping[str, Any] | None = None) -> None:
    """Serve a model on this machine until Ctrl-C, by `slipway models serve`; `config` takes its options' names."""
    options: list[str] = []
    for option, value in (config or {}).items():
        options += [f"--{option.replace('_', '-')}"] + ([str(value)] if str(value) != "" else [])
    program = [sys.executable, "-m", "slipway.cli", "models", "serve", "-m", model_uri, *options]
    done = subprocess.run(program, check=False)
    if done.returncode:
        raise _exception(Conflict(f"{name} could not be served: slipway models serve left with {done.returncode}."))


def target_help() -> str:
    """What `mlflow deployments help -t slipway` prints."""
    return words.HELP


def _check(name: str, flavor: str | None, endpoint: str | None) -> None:
    if flavor not in (None, "", FLAVOR):
        raise InvalidInput(f"flavor: models are served as {FLAVOR}, not as '{flavor[:100]}'.")
    if endpoint not in (None, "", name):
        raise InvalidInput("endpoint: a deployment is an endpoint of its own name; leave it out.")


def _called(deployment_name: str | None, endpoint: str | None) -> str:
    name = deployment_name or endpoint
    if not name:
        raise InvalidInput("Name a deployment.")
    return name


def _shown(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {**deployment, "flavor": FLAVOR}


@contextmanager
def _told() -> Iterator[None]:
    """Errors as the client's own."""
    try:
        yield
    except DomainError as error:
        raise _exception(error) from error


def _exception(error: DomainError) -> Exception:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    name = next((name for kind, name in _CODES.items() if isinstance(error, kind)), "TEMPORARILY_UNAVAILABLE")
    made: Exception = MlflowException(error.message, error_code=ErrorCode.Value(name))
    return made


def _tracking_uri() -> str:
    import mlflow

    return str(mlflow.get_tracking_uri())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
