from __future__ import annotations

import pytest

from apps.core.actor import Scope
from tests.personas import People, Persona, token_for

URL = "/api/3.0/mlflow/server-info"


@pytest.mark.parametrize("path", [URL, URL.replace("/api/", "/ajax-api/")])
def test_clients_learn_of_teams_and_uploads(people: People, path: str) -> None:
    info = people.vera.request("GET", path).json()
    assert (info["store_type"], info["workspaces_enabled"]) == ("SqlStore", True)
    assert isinstance(info["multipart_uploads_enabled"], bool)


def test_every_token_reaches_it(people: People) -> None:
    for scope in Scope:
        owner = (people.root if scope is Scope.METRICS else people.ada).user
        persona = Persona(owner, token_for(owner, scope))
        assert persona.request("GET", URL).status_code == 200, scope


def test_wrong_verb(people: People) -> None:
    assert people.ada.request("POST", URL).status_code == 405


def test_a_wrong_team_is_not_told_here(people: People) -> None:
    assert people.ada.request("GET", URL, x_mlflow_workspace="nowhere").status_code == 200
