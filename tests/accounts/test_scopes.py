"""What a token of too narrow a scope is told, at every kind of door: which scopes it has, and which are wanted."""

from __future__ import annotations

import pytest

from apps.core.actor import Scope
from tests.personas import People, Persona, token_for

PROTOCOL, API, FILES = "/api/2.0/mlflow", "/api/v1", "/api/2.0/mlflow-artifacts/artifacts"
SAID = "Permission denied: the scope of this token does not reach this route: it has"


@pytest.mark.parametrize(
    ("scopes", "method", "path", "wanted"),
    [
        ([Scope.REGISTRY], "POST", f"{PROTOCOL}/runs/create", "registry, and tracking or all is wanted."),
        ([Scope.SERVE], "GET", f"{PROTOCOL}/runs/get", "serve, and tracking or read or all is wanted."),
        (
            [Scope.SERVE, Scope.METRICS],
            "GET",
            f"{API}/projects/",
            "metrics, serve, and projects or read or all is wanted.",
        ),
        ([Scope.READ], "POST", f"{API}/deployments/", "read, and all is wanted."),
        ([Scope.SERVE], "GET", f"{API}/deployments/", "serve, and read or all is wanted."),
        ([Scope.READ], "GET", f"{API}/me/serving/", "read, and serve or all is wanted."),
        ([Scope.SERVE], "GET", FILES, "serve, and tracking or registry or read or all is wanted."),
        ([Scope.SERVE], "GET", "/metrics", "serve, and metrics or all is wanted."),
    ],
)
def test_the_scopes_are_named(people: People, scopes: list[Scope], method: str, path: str, wanted: str) -> None:
    narrow = Persona(people.root.user, token_for(people.root.user, *scopes))
    answer = narrow.request(method, path, {})
    assert (answer.status_code, answer.json()["message"]) == (403, f"{SAID} {wanted}")
