"""A webhook on a whole installation: written by the web process, sent by the worker, verified by the receiver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import requests

from tests.receiver import Received, receiver
from tests.servers import Server, slipway_up
from tests.waiting import until

SECRET = "hush"
MADE = {"entity": "REGISTERED_MODEL", "action": "CREATED"}


def test_what_happens_reaches_the_receiver(tmp_path: Path) -> None:
    with receiver() as there, slipway_up(tmp_path, SLIPWAY_OUTGOING_ALLOW="127.0.0.1") as server:
        hook = {"name": "ci", "url": f"{there.url}/hook", "events": [MADE], "secret": SECRET}
        assert call(server, "webhooks", hook)["webhook"]["status"] == "ACTIVE"
        call(server, "registered-models/create", {"name": "iris"})
        until(lambda: len(there.got) == 1)
        assert json.loads(there.got[0].body)["data"]["name"] == "iris"
        assert is_signed(there.got[0])


def call(server: Server, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.token}"}
    response = requests.post(f"{server.url}/api/2.0/mlflow/{path}", json=body, headers=headers, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def is_signed(got: Received) -> bool:
    signed = f"{got.headers['X-MLflow-Delivery-Id']}.{got.headers['X-MLflow-Timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    return got.headers["X-MLflow-Signature"] == f"v1,{expected}"
