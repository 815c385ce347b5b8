"""The ways that `test_ways_into_production` tries, and the routes that lead nowhere near it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Statuses = tuple[int, int, int]
NAMES = ("ada", "max", "bot")


@dataclass(frozen=True)
class Way:
    """`statuses` are what Ada, Max and Bot are answered. Pages are tried by people alone: Bot has no session."""

    statuses: Statuses | tuple[int, int]
    send: dict[str, Any] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)


_NAME = {"name": "iris"}
_FIRST = {**_NAME, "version": "1"}
_SECOND = {**_NAME, "version": "2"}
_INTO = {**_SECOND, "stage": "Production", "archive_existing_versions": True, "comment": "please"}
_OUT = {**_FIRST, "stage": "Archived", "archive_existing_versions": False, "comment": "please"}
_ASKED = {**_SECOND, "stage": "Production", "archive_existing_versions": True}
_BOTS = {**_ASKED, "version": "3"}
_OWN = {**_ASKED, "version": "4"}
_CHAMPION = {**_NAME, "alias": "champion"}
_NAMESAKE = {**_NAME, "alias": "Production"}
_MODEL = {"team": "forge", "name": "iris"}
_V1 = {**_MODEL, "number": "1"}
_V2 = {**_MODEL, "number": "2"}
_GOVERNED: Statuses = (403, 403, 403)
_HELD: Statuses = (409, 409, 409)
# Of two approvals Max's is the first; Ada is no maintainer, and a service account never decides.
_ONE_OF_TWO: Statuses = (403, 200, 403)
_LOOSER = {"stage": "Production", "approvals": 1, "allows_self_approval": True, "override_by": "maintainer"}
_PEOPLE_REFUSED = (422, 422)

PROTOCOL_WAYS = [
    ("POST 2.0/mlflow/model-versions/transition-stage", Way(_GOVERNED, _INTO)),
    ("POST 2.0/mlflow/model-versions/transition-stage", Way(_GOVERNED, _OUT)),
    ("POST 2.0/mlflow/databricks/model-versions/transition-stage", Way(_GOVERNED, _INTO)),
    ("POST 2.0/mlflow/databricks/model-versions/transition-stage", Way(_GOVERNED, _OUT)),
    ("POST 2.0/mlflow/registered-models/alias", Way(_GOVERNED, {**_CHAMPION, "version": "2"})),
    ("POST 2.0/mlflow/registered-models/alias", Way(_GOVERNED, {**_NAMESAKE, "version": "2"})),
    ("DELETE 2.0/mlflow/registered-models/alias", Way(_GOVERNED, _CHAMPION)),
    ("DELETE 2.0/mlflow/model-versions/delete", Way(_HELD, _FIRST)),
    ("DELETE 2.0/mlflow/registered-models/delete", Way(_HELD, _NAME)),
    ("POST 2.0/mlflow/registered-models/rename", Way(_HELD, {**_NAME, "new_name": "lily"})),
    ("POST 2.0/mlflow/transition-requests/approve", Way(_ONE_OF_TWO, _ASKED)),
    ("POST 2.0/mlflow/transition-requests/approve", Way(_ONE_OF_TWO, _BOTS)),
    ("POST 2.0/mlflow/transition-requests/approve", Way((403, 409, 403), _OWN)),
    ("POST 2.0/mlflow/transition-requests/reject", Way(_ONE_OF_TWO, _ASKED)),
    # Its creator's; and whose it isn't, may not take it back.
    ("DELETE 2.0/mlflow/transition-requests/delete", Way((200, 403, 403), {**_ASKED, "creator": "ada"})),
    ("POST 2.0/mlflow/transition-requests/create", Way((400, 200, 200), _ASKED)),
    ("POST 2.0/mlflow/model-versions/create", Way((200, 200, 200), {**_NAME, "source": "runs:/{run}/model"})),
    ("POST 2.0/mlflow/runs/delete", Way(_HELD, {"run_id": "{run}"})),
    ("POST 2.0/mlflow/experiments/delete", Way((409, 409, 409), {"experiment_id": "{experiment}"})),
    # Rights on a model are no approvals: approvers are named by the policy.
    (
        "PATCH 2.0/permissions/registered-models/{registered_model_id}",
        Way(
            (403, 200, 200),
            {"access_control_list": [{"user_name": "ada", "permission_level": "CAN_MANAGE_PRODUCTION_VERSIONS"}]},
            {"registered_model_id": "{registered}"},
        ),
    ),
]

VIEW_WAYS = [
    ("POST api:model-version-stage", Way(_GOVERNED, {"stage": "Production", "archive_existing": True}, _V2)),
    ("POST api:model-version-stage", Way(_GOVERNED, {"stage": "None", "comment": "please"}, _V1)),
    ("PUT api:model-alias-detail", Way(_GOVERNED, {"version": 2, "reason": "x"}, {**_MODEL, "alias": "champion"})),
    ("PUT api:model-alias-detail", Way(_GOVERNED, {"version": 2}, {**_MODEL, "alias": "PRODUCTION"})),
    ("DELETE api:model-alias-detail", Way(_GOVERNED, at={**_MODEL, "alias": "production"})),
    ("DELETE api:model-version-detail", Way(_HELD, at=_V1)),
    ("DELETE api:model-detail", Way(_HELD, at=_MODEL)),
    ("PATCH api:model-detail", Way(_HELD, {"name": "lily"}, _MODEL)),
    # Nobody may go back at once, so it becomes a request.
    ("POST api:model-rollback", Way((200, 200, 200), {"stage": "Production", "reason": "x"}, _MODEL)),
    ("POST api:promotion-request-approve", Way(_ONE_OF_TWO, at={"pk": "{request}"})),
    ("POST api:promotion-request-approve", Way((403, 409, 403), at={"pk": "{own}"})),
    ("POST api:promotion-request-approve", Way(_ONE_OF_TWO, {"archive_existing": False}, {"pk": "{bots}"})),
    ("POST api:policy-list", Way(_GOVERNED, _LOOSER)),
    ("POST api:policy-list", Way(_GOVERNED, {**_LOOSER, "team": "forge"})),
    ("POST api:policy-list", Way(_GOVERNED, {**_LOOSER, "team": "forge", "name": "iris"})),
    ("DELETE api:policy-detail", Way(_GOVERNED, at={"pk": "{policy}"})),
    ("POST api:approver-group-list", Way(_GOVERNED, {"name": "mine", "members": ["ada"]})),
    ("POST registry:move", Way(_PEOPLE_REFUSED, {"slot": "stage:Production", "comment": "x"}, _V2)),
    ("POST registry:move", Way(_PEOPLE_REFUSED, {"slot": "stage:Archived", "comment": "x"}, _V1)),
    ("POST registry:set_alias", Way(_PEOPLE_REFUSED, {"alias": "champion", "number": "2", "reason": "x"}, _MODEL)),
    ("POST registry:delete_alias", Way(_PEOPLE_REFUSED, {"reason": "x"}, {**_MODEL, "alias": "champion"})),
    ("POST registry:version_delete", Way(_PEOPLE_REFUSED, at=_V1)),
    ("POST registry:model_delete", Way(_PEOPLE_REFUSED, at=_MODEL)),
    ("POST registry:model_edit", Way(_PEOPLE_REFUSED, {"name": "lily", "description": ""}, _MODEL)),
    ("POST registry:roll_back", Way((302, 302), {"to": "9", "reason": "x"}, _MODEL)),
    ("POST registry:request_approve", Way((422, 302), {"round": "1"}, {"request_id": "{request}"})),
    ("POST registry:request_approve", Way((422, 422), {"round": "1"}, {"request_id": "{own}"})),
    ("POST registry:policy", Way((403, 403), {"act": "save", "approvals": "1"}, {"policy_id": "{policy}"})),
    ("POST registry:policy_new", Way((403, 403), {"act": "save", "approvals": "1"})),
    ("POST registry:policy_delete", Way((403, 403), at={"policy_id": "{policy}"})),
    ("POST registry:group_new", Way((403, 403), {"name": "mine", "members": "ada"})),
]

# What can't change it, and why. Each is the beginning of a route of the protocol, or of the name of a view.
HARMLESS = {
    **dict.fromkeys(
        (
            "2.0/mlflow/registered-models/create",
            "2.0/mlflow/model-versions/update",
            "2.0/mlflow/registered-models/update",
        ),
        "a new model has nothing in production; descriptions are words",
    ),
    **dict.fromkeys(
        (
            *("2.0/mlflow/registered-models/set-tag", "2.0/mlflow/registered-models/delete-tag"),
            *("2.0/mlflow/model-versions/set-tag", "2.0/mlflow/model-versions/delete-tag"),
        ),
        "labels; gates look at them anew when somebody approves",
    ),
    **dict.fromkeys(
        ("deployments:", "api:deployment", "api:serving", "api:revision-export", "api:version-export"),
        "what serves, not what is in a stage: apps.deployments writes nothing of the registry",
    ),
    **dict.fromkeys(("2.0/mlflow/comments/", "api:comment", "registry:comment"), "words"),
    **dict.fromkeys(
        ("2.0/mlflow/registered-models/get-latest-versions", "2.0/mlflow/logged-models/search"), "reads with a body"
    ),
    **dict.fromkeys(
        (
            *("2.0/permissions/", "2.0/mlflow/registered-models/permissions/", "2.0/mlflow/experiments/permissions/"),
            *("3.0/mlflow/users/", "3.0/mlflow/roles/", "3.0/mlflow/workspaces", "2.0/mlflow/users/", "accounts:"),
            *("api:user", "api:team", "api:membership", "api:grant", "api:token", "api:me"),
        ),
        "rights and roles: given by those who hold them, and no approval under a policy",
    ),
    **dict.fromkeys(
        ("2.0/mlflow/webhooks", "2.0/mlflow/registry-webhooks", "notifications:", "api:webhook", "api:delivery"),
        "tells of it",
    ),
    **dict.fromkeys(("api:notification", "api:subscription", "api:event", "audit:"), "tells of it"),
    **dict.fromkeys(
        (
            *("2.0/mlflow/experiments/", "2.0mlflow/experiments/", "2.0/mlflow/runs/", "2.0/mlflow/logged-models"),
            *("2.0/mlflow/artifacts/", "2.0/mlflow/metrics/", "experiments:", "artifact_", "api:experiment", "api:run"),
            "logged_model_",
            "run_file",
        ),
        "files of what is in production, and what they belong to, are held: tests/registry/test_holds.py",
    ),
    **dict.fromkeys(
        ("api:models-list", "api:model-version-list", "api:model-version-comment", "api:model-alias-list"),
        "makes what is nowhere yet, or reads",
    ),
    **dict.fromkeys(
        ("api:model-version-lineage", "api:placement", "api:gate-list", "api:promotion-request-list"), "reads"
    ),
    **dict.fromkeys(("api:promotion-request-detail", "api:override-list", "api:override-detail"), "reads"),
    **dict.fromkeys(
        ("api:model-version-requests", "registry:ask", "api:promotion-request-reject", "api:promotion-request-cancel"),
        "asks, or ends what was asked",
    ),
    **dict.fromkeys(("registry:request_reject", "registry:request_cancel"), "ends what was asked"),
    "api:secret": "what runs are given",
    **dict.fromkeys(
        ("api:project", "api:build", "api:schedule", "api:queue", "api:quota", "api:worker"),
        "starts runs and says when they start; their tokens ask, and never decide: tests/doors/project_runs.py",
    ),
    "api:model-version-check": "a word of whoever reports; a gate counts those of the account that it names",
    **dict.fromkeys(
        ("api:approver-group-detail", "registry:group", "api:override-review", "registry:override"),
        "for administrators: tests/doors/",
    ),
    **dict.fromkeys(
        (
            *(
                "registry:models",
                "registry:model_new",
                "registry:register",
                "registry:model_find",
                "registry:model_by_id",
            ),
            *("registry:version_by_id", "registry:model_activity", "registry:prompt", "registry:model_tag"),
            *("registry:compare", "registry:version_files", "registry:version_raw", "registry:version_lineage"),
            *("registry:version_activity", "registry:version_discussion", "registry:version_describe"),
            *("registry:version_tag", "registry:approvals", "registry:approval_count", "registry:history"),
            *("registry:model_policies", "registry:policies"),
        ),
        "reads, words and labels",
    ),
}
PLAIN_PAGES = {"registry:model", "registry:version", "registry:request"}
OF_THE_SITE = (
    *(
        "health",
        "live",
        "ready",
        "version",
        "metrics",
        "protocol",
        "home",
        "schema",
        "docs",
        "account_",
        "sign_in_",
        "shortcuts",
    ),
    *("core:", "projects:", "2.0/mlflow/server-info", "3.0/mlflow/server-info", "api:schema", "api:docs", "javascript"),
)
