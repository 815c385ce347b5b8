from __future__ import annotations

import pytest

from tests.experiments.artifacts.files import call, make_run, run_root
from tests.personas import People

API = "/api/2.0/mlflow-artifacts"


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_on_disk_clients_are_told_to_send_files_whole(prefix: str, people: People) -> None:
    run_id = make_run(people.ada)
    root = run_root(run_id)
    upload = {"path": "/home/ada/big.bin", "num_parts": 2, "upload_id": "u", "parts": [{"part_number": 1, "etag": "e"}]}
    for step in ("create", "complete", "abort"):
        response = people.ada.request("POST", f"{prefix}/2.0/mlflow-artifacts/mpu/{step}/{root}", upload)
        assert response.status_code == 501
        # The client looks for these words before it falls back.
        assert response.json()["message"].startswith("Multipart upload is not supported for the current artifact")
    call(people.ada, "PUT", f"{API}/artifacts/{root}/a.txt", b"alpha")
    assert call(people.ada, "GET", f"{API}/presigned/{root}/a.txt").status_code == 501
    people.ada.call("POST", "artifacts/presigned-upload-url", {"run_id": run_id, "path": "a.txt"}, expect=501)
    people.ada.call("POST", "artifacts/presigned-download-url", {"run_id": run_id, "path": "a.txt"}, expect=501)


def test_uploads_in_parts_ask_for_the_right_to_write(people: People) -> None:
    root = run_root(make_run(people.ada))
    upload = {"path": "big.bin", "num_parts": 2}
    for person, status in ((people.vera, 403), (people.cleo, 404)):
        assert person.request("POST", f"{API}/mpu/create/{root}", upload).status_code == status
    for bad in ({"num_parts": 1}, {"path": "..", "num_parts": 1}, {"path": "a%2fb"}):
        assert people.ada.request("POST", f"{API}/mpu/create/{root}", bad).status_code == 400
    assert people.ada.request("POST", f"{API}/mpu/create/{root}/../x", upload).status_code == 400


def test_signed_addresses_are_for_a_bounded_time(people: People) -> None:
    run_id = make_run(people.ada)
    body = {"run_id": run_id, "path": "a.txt", "expiration": 10**6}
    for what in ("upload", "download"):
        people.ada.call("POST", f"artifacts/presigned-{what}-url", body, expect=400)
    people.ada.call("POST", "artifacts/presigned-upload-url", {"path": "a.txt"}, expect=400)
