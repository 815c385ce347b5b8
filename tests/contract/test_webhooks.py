"""Webhooks: the same calls to MLflow's own server and to ours, and the real clients of both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

# An address, so that nobody has to resolve it; nothing is sent there.
URL = "https://8.8.8.8/hook"
CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
ALIASED = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}


def create(call: Transcript, name: str, **more: Any) -> str:
    made = call("POST", "webhooks", {"name": name, "url": URL, "events": [CREATED], **more})
    webhook_id: str = made["webhook"]["webhook_id"]
    return webhook_id


def life(call: Transcript) -> None:
    first = create(call, "first", description="what it is for", secret="hush")
    second = create(call, "second.2", events=[CREATED, ALIASED], status="DISABLED")
    call("GET", f"webhooks/{first}")
    call("GET", f"webhooks/{second}")
    call("GET", "webhooks")
    call("PATCH", f"webhooks/{first}", {"name": "renamed", "status": "DISABLED", "description": ""})
    call("PATCH", f"webhooks/{first}", {"events": [ALIASED], "url": f"{URL}/2", "secret": ""})
    call("PATCH", f"webhooks/{first}", {})
    call("GET", f"webhooks/{first}")
    call("DELETE", f"webhooks/{first}")
    call("GET", f"webhooks/{first}")
    call("DELETE", f"webhooks/{first}")
    call("DELETE", f"webhooks/{second}")
    call("GET", "webhooks")


def pages(call: Transcript) -> None:
    ids = [create(call, f"page{number}") for number in range(3)]
    first = call("GET", "webhooks", {"max_results": 2})
    call("GET", "webhooks", {"max_results": 2, "page_token": first["next_page_token"]})
    for size in ("1001", "-1", "x"):
        call("GET", "webhooks", {"max_results": size}, words=False)
    call("GET", "webhooks", {"page_token": "junk"}, words=False)
    for webhook_id in ids:
        call("DELETE", f"webhooks/{webhook_id}")


def wrong(call: Transcript) -> None:
    good = {"name": "good", "url": URL, "events": [CREATED]}
    for missing in good:
        call("POST", "webhooks", {name: value for name, value in good.items() if name != missing})
    call("POST", "webhooks", {**good, "name": "-bad"}, words=False)
    call("POST", "webhooks", {**good, "name": "x" * 64}, words=False)
    call("POST", "webhooks", {**good, "events": []})
    call("POST", "webhooks", {**good, "events": [{"entity": "REGISTERED_MODEL", "action": "SET"}]})
    call("POST", "webhooks", {**good, "events": [{"entity": "BOAT", "action": "CREATED"}]}, words=False)
    call("POST", "webhooks", {**good, "events": "x"}, words=False)
    call("POST", "webhooks", {**good, "status": "ASLEEP"}, ours=(400, "they take any word for ACTIVE"))
    for url in ("http://8.8.8.8/", "ftp://8.8.8.8/", "https://127.0.0.1/", "https://127.1/"):
        call("POST", "webhooks", {**good, "url": url}, words=False)
    call("POST", "webhooks", {**good, "url": "https://u:p@8.8.8.8/"}, ours=(400, "a password in a URL is shown"))
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
        call(method, f"webhooks/no-such-hook{path}")


@pytest.mark.parametrize("scenario", [life, pages, wrong], ids=lambda scenario: scenario.__name__)
def test_same_answers(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)


def test_the_real_client(ours: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: uv run --group client pytest")
    from mlflow.entities.webhook import WebhookEvent, WebhookStatus

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", ours.token)
    client = mlflow.MlflowClient(tracking_uri=ours.url, registry_uri=ours.url)
    event = WebhookEvent.from_str("model_version.created")
    made = client.create_webhook(name="ci", url=URL, events=[event], description="for CI", secret="hush")
    assert client.get_webhook(made.webhook_id).description == "for CI"
    assert [hook.name for hook in client.list_webhooks()] == ["ci"]
    changed = client.update_webhook(made.webhook_id, status=WebhookStatus.DISABLED)
    assert (changed.status, [str(event) for event in changed.events]) == ("DISABLED", ["model_version.created"])
    client.delete_webhook(made.webhook_id)
    assert list(client.list_webhooks()) == []


def test_databricks_own_client(ours: Server) -> None:
    pytest.importorskip("databricks.sdk", reason="databricks-sdk is not installed: uv run --group client pytest")
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors import InvalidParameterValue, NotFound
    from databricks.sdk.service.ml import HttpUrlSpec, JobSpec, RegistryWebhookEvent, RegistryWebhookStatus

    registry = WorkspaceClient(host=ours.url, token=ours.token, auth_type="pat").model_registry
    registry.create_model("hooked")
    spec = HttpUrlSpec(url=URL, secret="hush", authorization="Bearer x")
    comment, moved = RegistryWebhookEvent.COMMENT_CREATED, RegistryWebhookEvent.MODEL_VERSION_TRANSITIONED_STAGE
    made = registry.create_webhook([comment], http_url_spec=spec, model_name="hooked").webhook
    assert made and made.id and made.http_url_spec
    assert (made.model_name, made.status, made.http_url_spec.url) == ("hooked", RegistryWebhookStatus.ACTIVE, URL)
    wide = registry.create_webhook(
        [moved], http_url_spec=spec, description="all", status=RegistryWebhookStatus.DISABLED
    )
    assert wide.webhook and wide.webhook.id
    assert {hook.id for hook in registry.list_webhooks()} == {made.id, wide.webhook.id}
    assert {hook.id for hook in registry.list_webhooks(model_name="hooked", max_results=1)} == {made.id}
    assert {hook.id for hook in registry.list_webhooks(events=[moved])} == {wide.webhook.id}
    registry.update_webhook(made.id, events=[comment, moved], status=RegistryWebhookStatus.TEST_MODE)
    assert {hook.status for hook in registry.list_webhooks(events=[comment])} == {RegistryWebhookStatus.TEST_MODE}
    with pytest.raises(NotFound, match="No project 1"):
        registry.create_webhook([comment], job_spec=JobSpec(job_id="1", access_token="x"))
    with pytest.raises(InvalidParameterValue, match="access_token"):
        registry.create_webhook([comment], job_spec=JobSpec(job_id="1", access_token=""))
    with pytest.raises(NotFound):
        registry.create_webhook([comment], http_url_spec=spec, model_name="nothing")
    for webhook_id in (made.id, wide.webhook.id):
        registry.delete_webhook(id=webhook_id)
    assert list(registry.list_webhooks()) == []
