from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from apps.core.actor import Scope
from tests.experiments.artifacts.files import STORE, call, content, make_model, make_run, put, run_root
from tests.personas import People, token_for

BAD = [
    "../x", "..%2fx", "%2e%2e%2fx", "%252e%252e%252fx", "%25252e%25252e%25252fx", "a/../../x", "/tmp/x", "//tmp/x",
    "file:///tmp/x", "x%23/../..", "x%3f/../..", "x;/../..", "..;/x", "....//x", "..%5cx", "C:%5cx", "%25%255c",
    "a%252500b", "%c0%ae%c0%ae/x", "%ef%bc%8e%ef%bc%8e/x", "a%00b", "a%0d%0ab", "a%0a", ".", "..", "./", "%2e", "a//b",
    " a", "a ", "x" * 300,
]  # fmt: skip


@pytest.fixture
def run_id(people: People) -> str:
    return make_run(people.ada)


@pytest.fixture
def root(run_id: str) -> str:
    return run_root(run_id)


def test_a_file_comes_back_as_it_went_in(people: People, root: str, files: Path) -> None:
    assert put(people.ada, root, "dir/é 1.bin", b"\x00\xff" * 300_000).status_code == 200
    response = call(people.vera, "GET", f"{STORE}/{root}/dir/%C3%A9%201.bin")
    assert content(response) == b"\x00\xff" * 300_000
    assert response["Content-Length"] == "600000"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9%201.bin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    kept = files / root / "dir" / "é 1.bin"
    assert stat.S_IMODE(kept.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("step", [0, 3, 25, 95, 200])
def test_images_of_steps_are_named_with_percent_signs(step: int, people: People, root: str, files: Path) -> None:
    name = f"images/loss%step%{step}%timestamp%1795492207364%r5be1201-c3e7-443e-afee-fa110037a2dd.png"
    assert put(people.ada, root, name, b"\x89PNG").status_code == 200
    assert (files / root / name).is_file()
    (entry,) = call(people.vera, "GET", f"{STORE}?path={root}/images").json()["files"]
    assert entry["path"] == name.removeprefix("images/")
    assert content(call(people.vera, "GET", f"{STORE}/{quote(root + '/' + name)}")) == b"\x89PNG"


def test_the_newest_content_replaces_the_file(people: People, root: str, files: Path) -> None:
    for data in (b"old", b"", b"newest"):
        assert put(people.ada, root, "a.txt", data).status_code == 200
        assert content(call(people.ada, "GET", f"{STORE}/{root}/a.txt")) == data
    assert [path.name for path in (files / root).iterdir()] == ["a.txt"]


def test_listing(people: People, run_id: str, root: str) -> None:
    for path in ("b/c/d.txt", "a.txt", "b/e.txt"):
        put(people.ada, root, path, b"12345")
    listed = call(people.ada, "GET", f"{STORE}?path={root}").json()
    file = {"path": "a.txt", "is_dir": False, "file_size": 5}
    assert listed == {"files": [file, {"path": "b", "is_dir": True}]}
    below = people.vera.call("GET", "artifacts/list", {"run_id": run_id, "path": "b"})
    assert below["root_uri"] == f"mlflow-artifacts:/{root}"
    assert [entry["path"] for entry in below["files"]] == ["b/c", "b/e.txt"]
    for nothing in ("nowhere", "a.txt"):
        assert "files" not in people.ada.call("GET", "artifacts/list", {"run_id": run_id, "path": nothing})


def test_a_long_listing_comes_in_pages(people: People, run_id: str, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.experiments.mlflow.artifacts.FILES_OF_A_PAGE", 2)
    for name in "abcde":
        put(people.ada, root, name, b"")
    seen, token = [], ""
    while True:
        page = people.ada.call("GET", "artifacts/list", {"run_id": run_id, "page_token": token})
        seen += [entry["path"] for entry in page["files"]]
        if not (token := page.get("next_page_token", "")):
            break
    assert seen == list("abcde")
    people.ada.call("GET", "artifacts/list", {"run_id": run_id, "page_token": "junk"}, expect=400)


def test_a_logged_model_has_its_files(people: People, run_id: str) -> None:
    model = make_model(people.ada, run_id)
    root = f"{model.experiment_id}/models/{model.model_id}/artifacts"
    assert put(people.ada, root, "MLmodel", b"flavors: {}").status_code == 200
    twin = f"/ajax-api/2.0/mlflow/logged-models/{model.model_id}/artifacts/files"
    assert content(call(people.vera, "GET", f"{twin}?artifact_file_path=MLmodel")) == b"flavors: {}"
    assert call(people.vera, "GET", twin).status_code == 400
    listed = people.vera.call("GET", f"logged-models/{model.model_id}/artifacts/directories")
    assert listed == {
        "root_uri": f"mlflow-artifacts:/{root}", "files": [{"path": "MLmodel", "is_dir": False, "file_size": 11}],
    }  # fmt: skip
    assert call(people.cleo, "GET", f"{STORE}/{root}/MLmodel").status_code == 404


@pytest.mark.parametrize(
    "prefix", ["/get-artifact", "/api/2.0/mlflow/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"]
)
def test_a_file_by_the_id_of_its_run(prefix: str, people: People, run_id: str, root: str) -> None:
    put(people.ada, root, "a.txt", b"alpha")
    for name in ("run_id", "run_uuid"):
        assert content(call(people.vera, "GET", f"{prefix}?{name}={run_id}&path=a.txt")) == b"alpha"
    assert call(people.cleo, "GET", f"{prefix}?run_id={run_id}&path=a.txt").status_code == 404
    for query in ("", f"run_id={run_id}", "path=a.txt", f"run_id={run_id}&path=../x"):
        assert call(people.ada, "GET", f"{prefix}?{query}").status_code == 400


def test_a_small_upload_of_a_page(people: People, run_id: str) -> None:
    address = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=dir/a.txt"
    assert call(people.ada, "POST", address, b"alpha").status_code == 200
    assert content(call(people.ada, "GET", f"/get-artifact?run_id={run_id}&path=dir/a.txt")) == b"alpha"
    assert call(people.ada, "POST", address, b"").status_code == 400
    assert call(people.vera, "POST", address, b"x").status_code == 403
    assert call(people.ada, "GET", address).status_code == 405


def test_deleting_takes_a_file_or_a_whole_folder(people: People, root: str, files: Path) -> None:
    for path in ("a.txt", "dir/b.txt", "dir/deep/c.txt"):
        put(people.ada, root, path, b"x")
    assert call(people.ada, "DELETE", f"{STORE}/{root}/a.txt").json() == {}
    assert call(people.ada, "DELETE", f"{STORE}/{root}/dir").status_code == 200
    assert call(people.ada, "DELETE", f"{STORE}/{root}/dir").status_code == 200
    assert not any(path.is_file() for path in files.rglob("*"))


def test_who_may_do_what(people: People, root: str) -> None:
    put(people.ada, root, "a.txt", b"alpha")
    address = f"{STORE}/{root}/a.txt"
    wanted = {"ada": (200, 200, 200), "ben": (200, 200, 403), "vera": (200, 403, 403), "max": (200, 200, 200)}
    wanted |= {"cleo": (404, 404, 404), "root": (200, 200, 200)}
    for name, (read, write, delete) in wanted.items():
        person = getattr(people, name)
        assert call(person, "GET", address).status_code == read, name
        assert call(person, "GET", f"{STORE}?path={root}").status_code == read, name
        assert call(person, "PUT", address, b"alpha").status_code == write, name
        assert call(person, "DELETE", f"{address}.none").status_code == delete, name


def test_a_token_reaches_as_far_as_its_scope(people: People, root: str) -> None:
    put(people.ada, root, "a.txt", b"alpha")
    address = f"{STORE}/{root}/a.txt"
    for scope, read, write in ((Scope.READ, 200, 403), (Scope.TRACKING, 200, 200), (Scope.SERVE, 403, 403)):
        person = replace(people.ada, token=token_for(people.ada.user, scope))
        assert call(person, "GET", address).status_code == read
        assert call(person, "PUT", address, b"x").status_code == write


def test_all_else_in_the_store_is_for_administrators(people: People, run_id: str, root: str) -> None:
    other = make_run(people.ada, experiment="other")
    strange = run_root(other).split("/")[0] + f"/{run_id}/artifacts/a.txt"
    for path in ("0", "x", "1/2", strange, "1/traces/tr-1/artifacts/x", "models/m/1/x", root.rsplit("/", 1)[0]):
        for method in ("GET", "PUT", "DELETE"):
            assert call(people.max, method, f"{STORE}/{path}", b"x").status_code in (403, 404), (method, path)
        assert call(people.max, "GET", f"{STORE}?path={path}").status_code in (403, 404)
    assert call(people.max, "GET", STORE).status_code == 403
    assert call(people.root, "GET", STORE).status_code == 200


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_is_not_canonical_touches_nothing(path: str, people: People, root: str, files: Path) -> None:
    put(people.ada, root, "keep.txt", b"kept")
    before = sorted(files.rglob("*"))
    for prefix in ("/api", "/ajax-api"):
        for method in ("GET", "PUT", "DELETE"):
            for start in (root + "/", ""):
                address = f"{prefix}/2.0/mlflow-artifacts/artifacts/{start}{path}"
                assert call(people.root, method, address, b"x").status_code in (400, 404), (method, address)
    for query in (f"{STORE}?path={root}/{path}", f"{STORE}?path={path}"):
        answer = call(people.root, "GET", query)
        assert answer.status_code in (400, 404), query
    assert sorted(files.rglob("*")) == before


@pytest.mark.parametrize("path", ["", "%2e", "/", "..", "%2f"])
def test_the_store_itself_is_never_deleted(path: str, people: People, root: str, files: Path) -> None:
    put(people.ada, root, "keep.txt", b"kept")
    assert call(people.root, "DELETE", f"{STORE}/{path}").status_code == 400
    assert (files / root / "keep.txt").is_file()


def test_links_lead_nowhere(people: People, root: str, files: Path, tmp_path: Path) -> None:
    put(people.ada, root, "a.txt", b"alpha")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.txt").write_text("secret")
    (files / root / "link").symlink_to(tmp_path / "secret")
    (files / root / "s.txt").symlink_to(tmp_path / "secret" / "s.txt")
    for path in ("link/s.txt", "s.txt"):
        for method in ("GET", "PUT", "DELETE"):
            assert call(people.root, method, f"{STORE}/{root}/{path}", b"changed").status_code == 404
    assert [entry["path"] for entry in call(people.ada, "GET", f"{STORE}?path={root}").json()["files"]] == ["a.txt"]
    assert call(people.ada, "DELETE", f"{STORE}/{root}").status_code == 200
    assert (tmp_path / "secret" / "s.txt").read_text() == "secret"


def test_what_is_in_the_way_is_said(people: People, root: str) -> None:
    put(people.ada, root, "dir/a.txt", b"x")
    for path in ("dir", "dir/a.txt/b.txt"):
        assert put(people.ada, root, path, b"y").status_code == 409
    assert call(people.ada, "PUT", f"{STORE}/{root}", b"y").status_code == 400
    assert call(people.ada, "GET", f"{STORE}/{root}/dir").json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert call(people.ada, "GET", f"{STORE}/{root}/dir/a.txt/b").status_code == 404
    assert call(people.ada, "POST", f"{STORE}/{root}/dir").status_code == 405


def test_a_body_that_breaks_off_leaves_nothing(people: People, root: str, files: Path, data_folder: object) -> None:
    from django.test import RequestFactory

    from apps.core.errors import BadRequest
    from apps.core.paths import ArtifactPath
    from apps.experiments.artifacts.bodies import Body
    from apps.experiments.artifacts.store import own_store

    request = RequestFactory().put("/", b"half", content_type="application/octet-stream")
    request.META["CONTENT_LENGTH"] = "8"
    with pytest.raises(BadRequest):
        own_store().write(ArtifactPath.parse(f"{root}/a.txt"), Body(request), 8)
    assert not list(files.rglob("a.txt"))
    assert not list((files.parent / "uploads").iterdir())


def test_a_full_disk_is_said_and_leaves_nothing(
    people: People, root: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("apps.experiments.artifacts.disk._to_disk", full)
    response = put(people.ada, root, "a.txt", b"x" * 1000)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert not list(files.rglob("a.txt"))
    assert not list((files.parent / "uploads").iterdir())
