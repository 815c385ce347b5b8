"""What people can see of an installation, by the ways that stay from release to release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import requests

_OF_THE_SITE = ("users", "policies", "promotion-requests", "audit-events")
_OF_A_TEAM = ("experiments", "models", "projects", "project-runs", "schedules", "secrets", "deployments")
# What is counted from now, and what a start notes by itself.
_OF_THE_MOMENT = {"last_login", "last_seen", "last_used", "next_run", "next_run_at", "next", "storage_bytes", "url"}


def facts_of(url: str, token: str) -> dict[str, Any]:
    """All that an administrator is answered: the lists of `/api/v1/`, runs with their histories and files, versions."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    found: dict[str, Any] = {name: list(_pages(session, f"{url}/api/v1/{name}/")) for name in _OF_THE_SITE}
    found |= {"teams": {}, "runs": {}, "versions": {}}
    for team in [team["name"] for team in _pages(session, f"{url}/api/v1/teams/")]:
        session.headers["X-MLFLOW-WORKSPACE"] = team
        found["teams"][team] = {name: list(_pages(session, f"{url}/api/v1/{name}/")) for name in _OF_A_TEAM}
        ids = [each["experiment_id"] for each in _mlflow(session, url, "experiments/search", "experiments")]
        for run in _mlflow(session, url, "runs/search", "runs", experiment_ids=ids):
            found["runs"][run["info"]["run_id"]] = _run(session, url, run)
        for version in _mlflow(session, url, "model-versions/search", "model_versions", method="GET"):
            found["versions"][f"{team}/{version['name']}/{version['version']}"] = version
    lasting: dict[str, Any] = _lasting(found)
    return lasting


def lost(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Where something of `before` is not in `after`; what is new there, or was not known yet, is no loss."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], f"{where}/{key}")
            else:
                yield f"{where}/{key} is gone"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{where}/{number}")
    elif before != after and before is not None:
        yield f"{where}: {str(before)[:200]} became {str(after)[:200]}"


def _run(session: requests.Session, url: str, run: dict[str, Any]) -> dict[str, Any]:
    run_id = run["info"]["run_id"]
    keys = [metric["key"] for metric in run["data"].get("metrics", [])]
    histories = {
        key: list(_mlflow(session, url, "metrics/get-history", "metrics", method="GET", run_id=run_id, metric_key=key))
        for key in sorted(keys)
    }
    return {**run, "histories": histories, "files": dict(_files(session, url, run_id, ""))}


def _files(session: requests.Session, url: str, run_id: str, path: str) -> Iterator[tuple[str, str]]:
    """Each file's path and SHA-256."""
    for file in _mlflow(session, url, "artifacts/list", "files", method="GET", run_id=run_id, path=path):
        if file.get("is_dir"):
            yield from _files(session, url, run_id, file["path"])
        else:
            answer = session.get(f"{url}/get-artifact", params={"run_id": run_id, "path": file["path"]}, timeout=60)
            answer.raise_for_status()
            yield file["path"], hashlib.sha256(answer.content).hexdigest()


def _mlflow(
    session: requests.Session, url: str, route: str, field: str, *, method: str = "POST", **asked: Any
) -> Iterator[Any]:
    """All pages of a search or list of the protocol."""
    body = {"max_results": 1000, **asked}
    while True:
        how = {"json": body} if method == "POST" else {"params": body}
        answer = session.request(method, f"{url}/api/2.0/mlflow/{route}", timeout=60, **how)  # type: ignore[arg-type,unused-ignore]
        answer.raise_for_status()
        said = answer.json()
        yield from said.get(field, [])
        if not said.get("next_page_token"):
            return
        body["page_token"] = said["next_page_token"]


def _pages(session: requests.Session, url: str) -> Iterator[Any]:
    """All pages of a list of `/api/v1/`."""
    token: str | None = ""
    while token is not None:
        answer = session.get(url, params={"page_token": token} if token else {}, timeout=60)
        answer.raise_for_status()
        said = answer.json()
        yield from said["results"]
        token = said["next_page_token"]


def _lasting(found: Any) -> Any:
    """What stays as it is. Lists of what has a name are by that: neither their order nor more of them is a loss."""
    if isinstance(found, dict):
        return {key: _lasting(value) for key, value in found.items() if key not in _OF_THE_MOMENT}
    if not isinstance(found, list):
        return found
    for name in ("id", "key", "name"):
        names = {str(each[name]) for each in found if isinstance(each, dict) and name in each}
        if names and len(names) == len(found):
            return {str(each[name]): _lasting(each) for each in found}
    return [_lasting(each) for each in found]
