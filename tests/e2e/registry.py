"""People of the team `default` on a running server, as scripts call it, and policies of its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from tests.servers import Server

PASSWORD = "a good password for stories"


@dataclass
class Caller:
    """Somebody with a token. Calls are below `/api/`."""

    server: Server
    name: str
    token: str

    def __call__(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        """The JSON of the answer."""
        sent = {"params": body} if method == "GET" else {"json": body or {}}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(method, f"{self.server.url}/api/{path}", headers=headers, timeout=30, **sent)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def env(self) -> dict[str, str]:
        """The environment of a script of theirs."""
        return {**self.server.client_env(), "MLFLOW_TRACKING_TOKEN": self.token}

    def stage_of(self, model: str, version: str) -> str:
        """The stage that a version is in."""
        found = self("GET", "2.0/mlflow/model-versions/get", {"name": model, "version": version})
        stage: str = found["model_version"]["current_stage"]
        return stage


def administrator(server: Server) -> Caller:
    """The one that the first start made."""
    return Caller(server, "admin", server.token)


def newcomer(server: Server, name: str, role: str = "member") -> Caller:
    """A new person of the team `default`."""
    asked = ("user", "create", name, "--team", "default", "--role", role, "--password-stdin")
    server.command(*asked, stdin=f"{PASSWORD}\n")
    return Caller(server, name, server.command("token", "create", name))


def service_account(server: Server, name: str) -> Caller:
    """A new service account of the team `default`, as a job of CI has it."""
    made = {"username": name, "is_service": True, "team": "default"}
    administrator(server)("POST", "v1/users/", made, expect=201)
    return Caller(server, name, server.command("token", "create", name))


def govern(server: Server, model: str, **demands: Any) -> None:
    """A policy of Production for a model of the team `default`."""
    body = {"team": "default", "name": model, "stage": "Production", **demands}
    administrator(server)("POST", "v1/policies/", body, expect=201)


def ask_for_production(page: Any, model: str, number: int, why: str) -> None:
    """In a browser, on a version's page: ask that it enter Production. Leaves the request's page open."""
    page.goto(f"/models/default/{model}/versions/{number}/")
    page.get_by_role("link", name="Ask for a stage").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Where to").select_option("stage:Production")
    dialog.get_by_label("Why").fill(why)
    dialog.get_by_role("button", name="Ask").click()
    page.wait_for_url("**/approvals/*/")
