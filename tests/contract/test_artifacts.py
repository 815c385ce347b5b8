from __future__ import annotations

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

STORE = "/api/2.0/mlflow-artifacts/artifacts"


def put_list_get(call: Transcript) -> None:
    experiment_id = call.experiment("artifacts")
    run_id = call.run(experiment_id, run_name="a")
    root = f"{experiment_id}/{run_id}/artifacts"
    for path, data in (
        ("a.txt", b"alpha"),
        ("dir/b.bin", b"\x00\xff" * 5000),
        ("dir/deep/c d.json", b"{}"),
        ("é.txt", b""),
    ):
        call.raw("PUT", f"{STORE}/{root}/{path}", data)
    for path in ("", "dir", "dir/deep", "nowhere", "a.txt"):
        call("GET", "artifacts/list", {"run_id": run_id, "path": path} if path else {"run_id": run_id})
    call("GET", "artifacts", {"path": root}, api="2.0/mlflow-artifacts")
    call("GET", "artifacts", {"path": f"{root}/dir"}, api="2.0/mlflow-artifacts")
    for path, data in (("a.txt", b"alpha"), ("dir/b.bin", b"\x00\xff" * 5000), ("é.txt", b"")):
        assert call.raw("GET", f"{STORE}/{root}/{path}").content == data
        assert call.raw("GET", f"/get-artifact?run_id={run_id}&path={path}").content == data
    call.raw("PUT", f"{STORE}/{root}/a.txt", b"changed")
    assert call.raw("GET", f"{STORE}/{root}/a.txt").content == b"changed"
    call.raw("DELETE", f"{STORE}/{root}/dir")
    call("GET", "artifacts/list", {"run_id": run_id})
    call("GET", "artifacts/list", {"run_id": "0" * 32})
    call("GET", "artifacts/list", {}, words=False)
    call("GET", "artifacts/list", {"run_id": run_id, "path": "../x"}, words=False)


SCENARIOS = [put_list_get]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
