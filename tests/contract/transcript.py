"""Calls one server and keeps what it answered, with everything that may differ replaced by what it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import requests

from tests.servers import Server

_RUN = re.compile(r"\b[0-9a-f]{32}\b")
_MODEL = re.compile(r"\bm-[0-9a-f]{32}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
_TIMES = {
    "creation_time", "last_update_time", "creation_timestamp_ms", "last_updated_timestamp_ms", "creation_timestamp",
    "last_updated_timestamp",
}  # fmt: skip
_NAMES = {"run_name", "mlflow.runName"}
_UNORDERED = {"tags", "params", "metrics"}  # of a run; points of one history share their key and keep their order
_DROPPED = {"sqlstate", "error_class", "stack_trace"}
_BY_STAGE = {"latest_versions"}  # in no order


class Transcript:
    """One server's side of a scenario."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = requests.Session()
        if server.token:
            self._session.headers["Authorization"] = f"Bearer {server.token}"
        self._known: dict[str, str] = {}
        self.answers: list[tuple[str, int, Any]] = []
        self.deviations: dict[int, int] = {}

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        words: bool = True,
        api: str = "2.0/mlflow",
        ours: tuple[int, str] | None = None,
    ) -> Any:
        """Make a call below `/api/{api}/`; returns the JSON as answered.

        `words=False`: an error's text may differ. `ours`: where we answer otherwise on purpose, our status and why.
        """
        if ours:
            self.deviations[len(self.answers)] = ours[0]
        url = f"{self._server.url}/api/{api}/{path}"
        if method == "GET" and isinstance(body, dict):
            response = self._session.get(url, params=body, timeout=60)
        elif isinstance(body, (bytes, str)):
            response = self._session.request(method, url, data=body, headers=_JSON, timeout=60)
        else:
            response = self._session.request(method, url, json={} if body is None else body, timeout=60)
        answer = response.json() if response.content and "json" in response.headers.get("Content-Type", "") else None
        self._keep(f"{method} {path}", response.status_code, answer, words)
        return answer

    def raw(self, method: str, path: str, data: bytes = b"", **headers: str) -> requests.Response:
        """A call below the root whose body is not JSON; status and body are kept."""
        response = self._session.request(method, f"{self._server.url}{path}", data=data, headers=headers, timeout=60)
        self.answers.append((f"{method} {self._plain(path)}", response.status_code, None))
        return response

    def experiment(self, name: str) -> str:
        """The id of a new experiment."""
        experiment_id: str = self("POST", "experiments/create", {"name": name})["experiment_id"]
        return experiment_id

    def run(self, experiment_id: str, **more: Any) -> str:
        """The id of a new run."""
        body = {"experiment_id": experiment_id, "start_time": 1_700_000_000_000, **more}
        run_id: str = self("POST", "runs/create", body)["run"]["info"]["run_id"]
        return run_id

    def _keep(self, what: str, status: int, answer: Any, words: bool) -> None:
        if what == "POST experiments/create" and status == 200:
            self._placeholder(answer["experiment_id"], "experiment")
        plain = self._plain(answer)
        if "get-latest-versions" in what and plain and "model_versions" in plain:  # in no order
            plain["model_versions"].sort(key=lambda version: version["version"])
        if status >= 400 and isinstance(plain, dict):
            plain = {name: value for name, value in plain.items() if name == "error_code" or words}
        self.answers.append((self._plain(what), status, plain))

    def _plain(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            if value.get("key") in _NAMES and "value" in value:
                return {"key": value["key"], "value": self._plain(value["value"], "run_name")}
            # Of a version, who registered it: their server doesn't keep that.
            dropped = _DROPPED | {"user_id"} if "current_stage" in value else _DROPPED
            pairs = ((key, self._plain(item, key)) for key, item in value.items() if key not in dropped)
            return {
                key: item for key, item in sorted(pairs) if item not in ({}, [], "", None) and (key, item) != _EMPTY
            }
        if isinstance(value, list):
            items = [self._plain(item, name) for item in value]
            if name in _BY_STAGE:
                return sorted(items, key=lambda item: item["version"])
            return sorted(items, key=lambda item: item["key"]) if name in _UNORDERED else items
        if name in _TIMES:
            return "<time>"
        return self._plain_text(value, name) if isinstance(value, str) else value

    def _plain_text(self, value: str, name: str) -> str:
        if name in _NAMES and _RANDOM_NAME.fullmatch(value):
            return "<random name>"
        if "page_token" in name:
            return "<token>"
        if name in {"experiment_id", "experiment_ids"}:
            return self._known.get(value, value)
        for pattern, kind in ((_MODEL, "model"), (_RUN, "run"), (_UUID, "uuid")):
            value = pattern.sub(lambda found, kind=kind: self._placeholder(found[0], kind), value)  # type: ignore[misc]
        return re.sub(
            r"mlflow-artifacts:/(\d+)", lambda found: f"mlflow-artifacts:/{self._experiment(found[1])}", value
        )

    def _experiment(self, experiment_id: str) -> str:
        return self._known.get(experiment_id, experiment_id)

    def _placeholder(self, found: str, kind: str) -> str:
        if found not in self._known:
            number = sum(known.startswith(f"<{kind} ") for known in self._known.values()) + 1
            self._known[found] = f"<{kind} {number}>"
        return self._known[found]


_EMPTY = ("file_size", 0)  # protobuf leaves it out
_JSON = {"Content-Type": "application/json"}
Scenario = Callable[[Transcript], None]


def assert_same(scenario: Scenario, theirs: Server, ours: Server) -> None:
    """Play a scenario on both servers and compare, call by call."""
    expected, actual = Transcript(theirs), Transcript(ours)
    scenario(expected)
    scenario(actual)
    assert len(expected.answers) == len(actual.answers)
    for number, (theirs_said, we_said) in enumerate(zip(expected.answers, actual.answers, strict=True)):
        if number in actual.deviations:
            assert we_said[1] == actual.deviations[number], we_said
            assert theirs_said != we_said, "no deviation any more"
        elif theirs_said[1] >= 500:  # a bug of theirs: the same request gets a clear refusal from us
            assert (we_said[0], we_said[1] // 100) == (theirs_said[0], 4), we_said
        else:
            assert we_said == theirs_said


def quoted(text: str) -> str:
    """For use as one segment of a path."""
    return quote(text, safe="")
