"""Databricks' own client against this server: a client that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.servers import Server

pytest.importorskip("databricks.sdk", reason="databricks-sdk is not installed: uv run --group client pytest")

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.ml import (
    ActivityAction,
    ActivityType,
    RegisteredModelAccessControlRequest,
    RegisteredModelPermissionLevel,
)

NOWHERE = f"runs:/{'0' * 32}/model"
PRODUCTION = RegisteredModelPermissionLevel.CAN_MANAGE_PRODUCTION_VERSIONS


def sdk(server: Server, token: str) -> WorkspaceClient:
    return WorkspaceClient(host=server.url, token=token, auth_type="pat")


def token_of(server: Server, name: str, role: str) -> str:
    """The token of a new member of the team default."""
    server.command("user", "create", name, "--team", "default", "--role", role, "--password-stdin", stdin=PASSWORD)
    return server.command("token", "create", name)


PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def admin(ours: Server) -> WorkspaceClient:
    return sdk(ours, ours.token)


@pytest.fixture(scope="module")
def mia(ours: Server) -> WorkspaceClient:
    """A maintainer."""
    return sdk(ours, token_of(ours, "mia", "maintainer"))


@pytest.fixture(scope="module")
def tom(ours: Server) -> WorkspaceClient:
    """A member."""
    return sdk(ours, token_of(ours, "tom", "member"))


@pytest.fixture
def name(tom: WorkspaceClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """A model of Tom's with one version."""
    made = f"sdk-{request.node.originalname}"
    tom.model_registry.create_model(made)
    tom.model_registry.create_model_version(made, NOWHERE)
    yield made


def test_a_request_is_approved(name: str, tom: WorkspaceClient, mia: WorkspaceClient) -> None:
    asked = tom.model_registry.create_transition_request(name, "1", "Production", comment="It is good.").request
    assert asked is not None
    assert (asked.user_id, asked.to_stage, asked.comment) == ("tom", "Production", "It is good.")
    assert asked.available_actions == [ActivityAction.CANCEL_TRANSITION_REQUEST]
    waiting = list(mia.model_registry.list_transition_requests(name, "1"))
    assert [(each.activity_type, each.user_id, each.from_stage) for each in waiting] == [
        (ActivityType.REQUESTED_TRANSITION, "tom", "None")
    ]
    with pytest.raises(PermissionDenied):
        tom.model_registry.approve_transition_request(name, "1", "Production", True)
    done = mia.model_registry.approve_transition_request(name, "1", "Production", True, comment="So it is.").activity
    assert done is not None and done.activity_type is ActivityType.APPROVED_REQUEST
    assert stage_of(mia, name) == "Production"
    assert list(mia.model_registry.list_transition_requests(name, "1")) == []
    with pytest.raises(NotFound):
        mia.model_registry.approve_transition_request(name, "1", "Production", True)


def test_a_request_is_rejected_or_taken_back(name: str, tom: WorkspaceClient, mia: WorkspaceClient) -> None:
    registry = tom.model_registry
    registry.create_transition_request(name, "1", "Staging")
    with pytest.raises(ResourceAlreadyExists):
        registry.create_transition_request(name, "1", "Staging")
    said = mia.model_registry.reject_transition_request(name, "1", "Staging", comment="No.").activity
    assert said is not None and (said.activity_type, said.comment) == (ActivityType.REJECTED_REQUEST, "No.")
    registry.create_transition_request(name, "1", "Staging")
    with pytest.raises(NotFound):
        registry.delete_transition_request(name, "1", "Staging", "mia")
    back = registry.delete_transition_request(name, "1", "Staging", "tom", comment="Later.").activity
    assert back is not None and back.activity_type is ActivityType.CANCELLED_REQUEST
    with pytest.raises(InvalidParameterValue):
        registry.create_transition_request(name, "1", "Nowhere")


def test_a_stage_is_changed_directly(name: str, tom: WorkspaceClient, mia: WorkspaceClient) -> None:
    tom.model_registry.create_model_version(name, NOWHERE)
    with pytest.raises(PermissionDenied, match="transition-requests/create"):
        tom.model_registry.transition_stage(name, "1", "Production", False)
    moved = mia.model_registry.transition_stage(name, "1", "Production", False, comment="go").model_version_databricks
    assert moved is not None and moved.permission_level is not None
    assert (moved.current_stage, moved.permission_level.value) == ("Production", "CAN_MANAGE")
    assert moved.email_subscription_status is not None and moved.open_requests == []
    mia.model_registry.transition_stage(name, "2", "Production", True)
    latest = {each.version: each.current_stage for each in mia.model_registry.get_latest_versions(name)}
    assert latest == {"1": "Archived", "2": "Production"}
    with pytest.raises(InvalidParameterValue):
        mia.model_registry.transition_stage(name, "2", "Production", False)


def test_comments(name: str, tom: WorkspaceClient, mia: WorkspaceClient) -> None:
    made = tom.model_registry.create_comment(name, "1", "Look.").comment
    assert made is not None and made.id is not None
    assert (made.user_id, made.comment) == ("tom", "Look.")
    changed = tom.model_registry.update_comment(made.id, "Seen.").comment
    assert changed is not None and changed.comment == "Seen."
    with pytest.raises(PermissionDenied):
        mia.model_registry.update_comment(made.id, "Mine.")
    tom.model_registry.delete_comment(made.id)
    with pytest.raises(NotFound):
        tom.model_registry.delete_comment(made.id)


def test_permissions(name: str, tom: WorkspaceClient, mia: WorkspaceClient) -> None:
    registry = mia.model_registry
    model = registry.get_model(name).registered_model_databricks
    assert model is not None and model.id is not None and model.permission_level is not None
    assert (model.user_id, model.permission_level.value) == ("tom", "CAN_MANAGE")
    levels = registry.get_permission_levels(model.id).permission_levels or []
    assert len(levels) == 5
    entry = RegisteredModelAccessControlRequest(user_name="tom", permission_level=PRODUCTION)
    registry.update_permissions(model.id, access_control_list=[entry])
    assert [each.permission_level for each in _own(registry.get_permissions(model.id), "tom")] == [PRODUCTION]
    tom.model_registry.transition_stage(name, "1", "Production", False)
    registry.set_permissions(model.id, access_control_list=[])
    assert _own(registry.get_permissions(model.id), "tom") == []
    with pytest.raises(PermissionDenied):
        tom.model_registry.transition_stage(name, "1", "Archived", False)


def stage_of(client: WorkspaceClient, name: str) -> str | None:
    version = client.model_registry.get_model_version(name, "1").model_version
    return version.current_stage if version else None


def _own(permissions: Any, user: str) -> list[Any]:
    rows = [row for row in permissions.access_control_list if row.user_name == user]
    return [each for row in rows for each in row.all_permissions if not each.inherited]


def test_models_versions_and_tags(name: str, tom: WorkspaceClient) -> None:
    registry = tom.model_registry
    assert name in [model.name for model in registry.list_models(max_results=1)]
    assert [model.name for model in registry.search_models(filter=f"name = '{name}'")] == [name]
    registry.set_model_tag(name, "k", "v")
    registry.delete_model_tag(name, "k")
    registry.set_model_version_tag(name, "1", "k", "v")
    assert [each.version for each in registry.search_model_versions(filter=f"name = '{name}'")] == ["1"]
    registry.delete_model_version_tag(name, "1", "k")
    registry.update_model(name, description="Irises.")
    registry.update_model_version(name, "1", description="The first.")
    assert registry.get_model_version_download_uri(name, "1").artifact_uri
    registry.rename_model(name, new_name=f"{name}-renamed")
    registry.delete_model_version(f"{name}-renamed", "1")
    registry.delete_model(f"{name}-renamed")
    with pytest.raises(NotFound):
        registry.get_model(name)


def test_a_policy_says_how_many_approve(
    ours: Server, name: str, tom: WorkspaceClient, mia: WorkspaceClient, admin: WorkspaceClient
) -> None:
    """Two approvals and a gate; the refusals come as errors of the client's with our details."""
    registry = tom.model_registry
    model = registry.get_model(name).registered_model_databricks
    assert model is not None
    demands = {"approvals": 2, "gates": [{"kind": "description", "params": {"characters": 5}}]}
    policy(ours, name, demands)
    registry.create_transition_request(name, "1", "Production")
    with pytest.raises(DatabricksError, match="description") as caught:
        mia.model_registry.approve_transition_request(name, "1", "Production", True)
    assert caught.value.error_code == "RESOURCE_CONFLICT"
    registry.update_model_version(name, "1", description="Reads well.")
    mia.model_registry.approve_transition_request(name, "1", "Production", True)
    with pytest.raises(DatabricksError, match="already"):
        mia.model_registry.approve_transition_request(name, "1", "Production", True)
    admin.model_registry.approve_transition_request(name, "1", "Production", True)
    assert stage_of(tom, name) == "Production"
    with pytest.raises(PermissionDenied):
        mia.model_registry.transition_stage(name, "1", "Archived", False)


def policy(server: Server, name: str, demands: dict[str, Any]) -> None:
    """A policy of Production for one model, set by the administrator."""
    body = {"team": "default", "name": name, "stage": "Production", **demands}
    answer = requests.post(
        f"{server.url}/api/v1/policies/", json=body, headers={"Authorization": f"Bearer {server.token}"}, timeout=20
    )
    assert answer.status_code in (200, 201), answer.text
