"""Somebody who queues runs, reads logs and cancels, and asks again where nobody answers."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.kills.diary import PROJECT

FINAL = {"finished", "failed", "cancelled", "lost"}


@dataclass
class Asked:
    """A run that was acknowledged; `seen` is what was read of its log so far."""

    key: str
    id: str
    retries: int
    lines: int
    seen: bytes = b""
    is_cancelled: bool = False
    row: dict[str, Any] = field(default_factory=dict)


class Customer:
    """Calls the API until it is answered."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._archive: int = 0

    def bring_project(self) -> None:
        """Upload the project that is run."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in PROJECT.items():
                archive.writestr(name, text)
        headers = {"Content-Type": "application/zip"}
        answer = self._call("POST", "v1/project-archives/", data=content.getvalue(), headers=headers)
        assert answer.status_code in (200, 201), answer.text
        self._archive = int(answer.json()["id"])

    def ask(self, key: str, port: int, lines: int, retries: int) -> Asked:
        """Queue a run. Asked again under the same key it is the same run."""
        params = {"key": key, "port": str(port), "lines": str(lines)}
        body = {"archive": self._archive, "params": params, "retries": retries, "backoff_s": 1}
        answer = self._call("POST", "v1/project-runs/", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 201), answer.text
        return Asked(key, str(answer.json()["id"]), retries, lines)

    def cancel(self, asked: Asked) -> None:
        """Cancel it, unless it has ended."""
        answer = self._call("POST", f"v1/project-runs/{asked.id}/cancel/", json={"reason": "a change of mind"})
        assert answer.status_code in (200, 202, 409), answer.text
        asked.is_cancelled = answer.status_code != 409

    def look(self, asked: Asked) -> str:
        """Its state."""
        answer = self._call("GET", f"v1/project-runs/{asked.id}/")
        assert answer.status_code == 200, answer.text
        asked.row = answer.json()
        return str(asked.row["state"])

    def read_on(self, asked: Asked) -> bool:
        """Read more of its log; whether nothing comes after."""
        answer = self._call("GET", f"v1/project-runs/{asked.id}/log/", params={"offset": len(asked.seen)})
        assert answer.status_code == 200, answer.text
        asked.seen += answer.content
        return answer.headers["X-Log-Ended"] == "true" and len(asked.seen) == int(answer.headers["X-Log-Offset"])

    def whole_log(self, asked: Asked) -> bytes:
        """Its log from the beginning."""
        return self._call("GET", f"v1/project-runs/{asked.id}/log/").content

    def tracking_status(self, asked: Asked) -> str:
        """What the tracking protocol says of it."""
        answer = self._call("GET", "2.0/mlflow/runs/get", params={"run_id": asked.row["run_id"]})
        return str(answer.json()["run"]["info"]["status"])

    def _call(self, method: str, path: str, **how: Any) -> requests.Response:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                answer = self._session.request(method, f"{self._url}/{path}", timeout=20, **how)
                if answer.status_code not in (500, 502, 503):
                    return answer
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise AssertionError(f"nobody answered {method} {path}")
