"""Somebody who registers versions, deploys them and asks how that stands, again where nobody answers."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.serving_kills.model import files_of

NAME = "scaling"


class Customer:
    """Calls the server until it is answered."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def bring_version(self, factor: int) -> int:
        """A version of the model; its number."""
        run = self._made("2.0/mlflow/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]
        for name, text in files_of(factor).items():
            place = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
            path = f"2.0/mlflow-artifacts/artifacts/{place}/model/{name}"
            answer = self._call("PUT", path, data=text.encode())
            assert answer.status_code == 200, answer.text
        body = {"name": NAME, "source": f"runs:/{run['run_id']}/model", "run_id": run["run_id"]}
        return int(self._made("2.0/mlflow/model-versions/create", body)["model_version"]["version"])

    def bring_model(self) -> None:
        """The model that versions are of."""
        self._made("2.0/mlflow/registered-models/create", {"name": NAME})

    def deploy(self, **more: Any) -> None:
        """Version 1, for the first time."""
        self._made("v1/deployments/", {"name": NAME, "model": NAME, "version": 1, **more})

    def change(self, version: int) -> None:
        """Another version from now on."""
        self._made(f"v1/deployments/{NAME}/deploy/", {"version": version})

    def roll_back(self) -> None:
        """What served before."""
        self._made(f"v1/deployments/{NAME}/rollback/", {})

    def look(self) -> dict[str, Any]:
        """How it stands."""
        answer = self._call("GET", f"v1/deployments/{NAME}/")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def load_seconds(self) -> float:
        """How long the slowest of its instances took until it answered."""
        found = self._call("GET", f"v1/deployments/{NAME}/instances/").json()["results"]
        return max(float(each["ready_ms"] - each["started_ms"]) / 1000 for each in found if each["ready_ms"])

    def stop(self) -> None:
        """Nothing of it is to run."""
        self._made(f"v1/deployments/{NAME}/stop/", {})

    def delete(self) -> None:
        """Remove it, once nothing of it runs."""
        end = time.monotonic() + 90
        while True:
            answer = self._call("DELETE", f"v1/deployments/{NAME}/")
            if answer.status_code != 409 or time.monotonic() > end:
                assert answer.status_code == 204, answer.text
                return
            time.sleep(0.3)

    def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._call("POST", path, json=body)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def _call(self, method: str, path: str, **how: Any) -> requests.Response:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                answer = self._session.request(method, f"{self.url}/api/{path}", timeout=20, **how)
                if answer.status_code not in (500, 502, 503):
                    return answer
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise AssertionError(f"nobody answered {method} {path}")
