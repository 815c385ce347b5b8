"""What webhooks are told: the same calls to MLflow's own server and to ours, each with a receiver."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
import requests

from apps.notifications.dialects.mlflow import ACTIONS
from tests.receiver import Receiver, receiver
from tests.servers import Server, mlflow_server, slipway_up

# Stands for the run of each server, there and back.
RUN = "<run>"
OF_RUN = {"source": f"runs:/{RUN}/model", "run_id": RUN}
EVENTS = [
    {"entity": entity.upper(), "action": action.upper()}
    for entity, actions in ACTIONS.items()
    for action in actions
    if entity != "budget_policy"
]
PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
TEXT = [*PROMPT, {"key": "mlflow.prompt.text", "value": "Hello {{name}}!"}]


@dataclass
class Side:
    """A server with a webhook of every event, and what that was told."""

    server: Server
    there: Receiver
    run_id: str = RUN

    def call(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.server.token}"} if self.server.token else {}
        url = f"{self.server.url}/api/2.0/mlflow/{path}"
        named = json.loads(json.dumps(body).replace(RUN, self.run_id))
        response = requests.request(method, url, json=named, headers=headers, timeout=60)
        assert response.status_code == 200, (path, response.text)
        return response.json()

    def told(self, method: str, path: str, body: Any) -> Any:
        """Make a call and wait for what it tells: entity, action and data."""
        before = len(self.there.got)
        self.call(method, path, body)
        end = time.monotonic() + 40
        while len(self.there.got) == before:
            assert time.monotonic() < end, f"{path} told nothing"
            time.sleep(0.05)
        said = json.loads(self.there.got[-1].body.decode().replace(self.run_id, RUN))
        return {name: said[name] for name in ("entity", "action", "data")}


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    if find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: uv run --group client pytest")
    homes = [tmp_path_factory.mktemp(name) for name in ("theirs", "ours")]
    with pytest.MonkeyPatch.context() as patch, receiver() as first, receiver() as second:
        patch.setenv("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http,https")
        patch.setenv("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")
        with mlflow_server(homes[0]) as theirs, slipway_up(homes[1], SLIPWAY_OUTGOING_ALLOW="127.0.0.1") as ours:
            both = Side(theirs, first), Side(ours, second)
            for side in both:
                side.run_id = side.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
                side.call("POST", "webhooks", {"name": "all", "url": f"{side.there.url}/hook", "events": EVENTS})
            yield both


def model(told: Callable[..., Any]) -> Iterator[Any]:
    version = {"name": "iris", "version": "1"}
    tags = [{"key": "a", "value": "1"}]
    yield told("POST", "registered-models/create", {"name": "iris", "description": "of iris", "tags": tags})
    yield told("POST", "registered-models/create", {"name": "plain"})
    yield told("POST", "model-versions/create", {"name": "iris", **OF_RUN, "tags": tags, "description": "x"})
    yield told("POST", "model-versions/create", {"name": "plain", **OF_RUN})
    yield told("POST", "model-versions/set-tag", {**version, "key": "k", "value": "v"})
    yield told("DELETE", "model-versions/delete-tag", {**version, "key": "k"})
    yield told("POST", "registered-models/alias", {**version, "alias": "champion"})
    yield told("DELETE", "registered-models/alias", {"name": "iris", "alias": "champion"})


def prompt(told: Callable[..., Any]) -> Iterator[Any]:
    version = {"name": "greeting", "version": "1"}
    yield told("POST", "registered-models/create", {"name": "greeting", "tags": PROMPT})
    yield told("POST", "model-versions/create", {"name": "greeting", "source": "dummy-source", "tags": TEXT})
    yield told("POST", "registered-models/set-tag", {"name": "greeting", "key": "k", "value": "v"})
    yield told("DELETE", "registered-models/delete-tag", {"name": "greeting", "key": "k"})
    yield told("POST", "model-versions/set-tag", {**version, "key": "k", "value": "v"})
    yield told("DELETE", "model-versions/delete-tag", {**version, "key": "k"})
    yield told("POST", "registered-models/alias", {**version, "alias": "live"})
    yield told("DELETE", "registered-models/alias", {"name": "greeting", "alias": "live"})


@pytest.mark.parametrize("story", [model, prompt])
def test_the_same_is_told(sides: tuple[Side, Side], story: Callable[..., Iterator[Any]]) -> None:
    theirs, ours = (list(story(side.told)) for side in sides)
    for number, said in enumerate(theirs):
        assert ours[number] == said
