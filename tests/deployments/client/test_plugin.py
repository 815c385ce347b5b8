"""The target `slipway` of the mlflow client, through the client's own door."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from apps.core.errors import InvalidInput
from apps.deployments.client.bodies import body_of
from apps.deployments.client.plugin_words import asked_of, server_uri
from apps.deployments.models import Deployment, Instance, Revision
from tests.deployments.client.loop import URI, Loop, connect
from tests.deployments.making import fail, make_deployment, make_ready, ready_deployment, servable
from tests.personas import People

mlflow = pytest.importorskip("mlflow")
pd = pytest.importorskip("pandas")
pytestmark = [pytest.mark.django_db, pytest.mark.client]


def deploy_client() -> Any:
    """As a script gets it."""
    return import_module("mlflow.deployments").get_deploy_client("slipway")


@pytest.fixture
def loop(people: People, monkeypatch: pytest.MonkeyPatch) -> Loop:
    """The caller is Ada."""
    loop = connect(monkeypatch, people.ada)
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: URI)
    return loop


@pytest.fixture
def client(loop: Loop) -> Any:
    """As a script gets it."""
    return deploy_client()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens while the client waits: one step at each look."""
    steps: list[Callable[[], Any]] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: steps.pop(0)())
    return lambda *more: steps.extend(more)


def test_a_deployment_from_its_beginning_to_its_end(
    people: People, client: Any, meanwhile: Callable[..., None]
) -> None:
    servable(people.ada)
    servable(people.ada)
    meanwhile(lambda: make_ready(Revision.objects.get()))
    made = client.create_deployment("flowers", "models:/iris/1", config={"instances": "1", "port": "5001"})
    assert (made["name"], made["flavor"], made["state"], made["port"]) == ("flowers", "python_function", "ready", 5001)
    meanwhile(lambda: make_ready(Revision.objects.get(number=2)))
    changed = client.update_deployment("flowers", "models:/iris/2", config={"workers": 2, "follow": "alias:best"})
    assert (changed["version"], changed["followed"], changed["config"]["workers"]) == (2, "best", 2)
    assert [each["name"] for each in client.list_deployments()] == ["flowers"]
    assert client.list_deployments(endpoint="other") == []
    assert client.get_deployment("flowers")["revision"] == 2
    assert client.update_deployment("flowers", config={"description": "Irises."})["description"] == "Irises."
    meanwhile(lambda: Instance.objects.update(ended_ms=1))
    client.delete_deployment("flowers")
    client.delete_deployment("flowers")
    assert not Deployment.objects.exists()


def test_it_does_not_wait_where_nobody_wants_to(people: People, client: Any) -> None:
    servable(people.ada)
    made = client.create_deployment("flowers", "models:/iris/1", config={"wait": "false"})
    assert (made["state"], made["revision"]) == ("pending", 1)
    changed = client.update_deployment("flowers", config={"wait": False, "workers": 3, "canary": False})
    assert changed["revision"] == 2


def test_what_fails_raises(people: People, client: Any, meanwhile: Callable[..., None]) -> None:
    servable(people.ada)
    meanwhile(lambda: fail(Revision.objects.get(), "It does not load."))
    with pytest.raises(mlflow.MlflowException, match="failed: It does not load") as raised:
        client.create_deployment("flowers", "models:/iris/1")
    assert raised.value.error_code == "INVALID_STATE"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.create_deployment("iris", "models:/iris/1"), "RESOURCE_ALREADY_EXISTS"),
        (lambda client: client.create_deployment("x", "models:/none/1"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.create_deployment("x", "runs:/0/model"), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.create_deployment("x", "models:/iris/1", flavor="onnx"), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.create_deployment("x", "models:/iris/1", endpoint="y"), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.create_deployment("x", "models:/iris/1", config={"cpu": 1}), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.update_deployment("iris"), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.update_deployment("none", "models:/iris/1"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.get_deployment("none"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.predict(inputs=[1]), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.predict("iris", None), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.predict("iris", [1]), "TEMPORARILY_UNAVAILABLE"),
        (lambda client: client.explain("iris", None), "INVALID_PARAMETER_VALUE"),
        (lambda client: client.create_endpoint("iris"), "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_is_refused(people: People, client: Any, call: Callable[[Any], Any], code: str) -> None:
    ready_deployment(people.ada)
    with pytest.raises(mlflow.MlflowException) as raised:
        call(client)
    assert raised.value.error_code == code
    assert Revision.objects.count() == 1


def test_who_may_not(people: People, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    ready_deployment(people.ada)
    for token, code in ((people.vera.token, "PERMISSION_DENIED"), ("wrong", "UNAUTHENTICATED")):
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
        with pytest.raises(mlflow.MlflowException) as raised:
            deploy_client().update_deployment("iris", config={"workers": 2})
        assert raised.value.error_code == code


def test_predictions(people: People, client: Any, loop: Loop) -> None:
    ready_deployment(people.ada)
    loop.models = lambda body: (200, b'{"predictions": [0, 2]}')
    frame = pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", None]})
    answer = client.predict("iris", frame)
    assert (answer["predictions"], list(answer.get_predictions()[0])) == ([0, 2], [0, 2])
    method, path, body = loop.calls[-1]
    assert (method, path) == ("POST", "/serve/iris/invocations")
    assert json.loads(body) == {"dataframe_split": {"columns": ["a", "b"], "data": [[1.5, "x"], [None, None]]}}
    assert client.predict(endpoint="iris", inputs={"a": [1]})["predictions"] == [0, 2]
    loop.models = lambda body: (400, b'{"error_code": "BAD_REQUEST", "message": "Missing columns: b"}')
    with pytest.raises(mlflow.MlflowException, match="Missing columns: b"):
        client.predict("iris", frame)


def test_predictions_that_come_in_pieces(people: People, client: Any, loop: Loop) -> None:
    ready_deployment(people.ada)
    loop.models = lambda body: (200, b'event: x\ndata: {"piece": 1}\n\ndata: {"piece": 2}\n\ndata: [DONE]\n')
    pieces = list(client.predict_stream("iris", {"messages": []}))
    assert pieces == [{"piece": 1}, {"piece": 2}]
    assert json.loads(loop.calls[-1][2]) == {"messages": [], "stream": True}


def test_each_deployment_is_an_endpoint(people: People, client: Any) -> None:
    deployment = ready_deployment(people.ada)
    (endpoint,) = client.list_endpoints()
    assert (endpoint["name"], endpoint["url"]) == ("iris", f"{URI}/serve/iris/invocations")
    assert client.get_endpoint("iris") == endpoint
    client.update_endpoint("iris", {"stages": "Staging,Production"})
    deployment.refresh_from_db()
    assert deployment.stages == ["Production", "Staging"]
    make_deployment(people.ada, "other")
    client.delete_endpoint("other")
    assert not Deployment.objects.filter(name="other").exists()


def test_targets() -> None:
    assert server_uri("slipway", "http://a:1") == server_uri("slipway:/", "http://a:1") == "http://a:1"
    assert server_uri("slipway://b", "http://a:1") == "https://b"
    assert server_uri("slipway://b:8443/", "http://a:1") == "https://b:8443"
    assert server_uri("slipway:http://b:5000", "http://a:1") == "http://b:5000"
    with pytest.raises(InvalidInput, match="names no server"):
        server_uri("slipway:b", "http://a:1")


def test_what_config_says() -> None:
    asked = asked_of({"stages": "", "port": "", "canary": "true", "timeout": "5", "reason": "Why.", "cpus": "0.5"})
    assert (asked.rules, asked.config) == ({"stages": [], "port": None}, {"cpus": 0.5})
    assert (asked.canary, asked.seconds, asked.reason, asked.waits) == (True, 5.0, "Why.", True)
    for wrong in ({"wait": "perhaps"}, {"timeout": "soon"}, {"follow": "x"}, {"port": "x"}, {"colour": "red"}):
        with pytest.raises(InvalidInput):
            asked_of(wrong)


def test_bodies() -> None:
    def sent(inputs: Any) -> Any:
        return json.loads(body_of(inputs))

    assert sent(np.array([[1, 2]], dtype="int8")) == {"inputs": [[1, 2]]}
    assert sent({"x": np.array([1.0, np.nan])}) == {"inputs": {"x": [1.0, None]}}
    assert sent({"data": [[1]], "params": {}}) == {"data": [[1]], "params": {}}
    assert sent(pd.Series([1, 2], name="a")) == {"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}
    assert sent('{"inputs": [1]}') == sent(b'{"inputs": [1]}') == {"inputs": [1]}
    times = pd.DataFrame({"t": [pd.Timestamp("2026-11-30T10:00"), pd.NaT], "b": [b"x", b"y"]})
    assert sent(times)["dataframe_split"]["data"] == [["2026-11-30T10:00:00", "eA=="], [None, "eQ=="]]
    for wrong in (None, "no json", {1, 2}, object()):
        with pytest.raises(InvalidInput):
            body_of(wrong)


def test_the_client_shows_help() -> None:
    shown: str = import_module("mlflow.deployments.interface")._target_help("slipway")
    assert "slipway:http://HOST:PORT" in shown
