from __future__ import annotations

import io
from typing import Any

import pytest

from apps.core.paths import ArtifactPath
from apps.experiments import access
from apps.experiments.artifacts.folders import folder_of_logged_model, folder_of_run
from apps.experiments.models import LoggedModel, Run
from tests.experiments.runs import make_run
from tests.personas import People, Persona

HTMX = {"HX-Request": "true"}
FILES = {
    "readme.md": b"# Heading\n\n<script>alert(1)</script> [x](javascript:alert(1))",
    "data.csv": b'name,value\n"a, b",=cmd\n<i>c</i>,2\n',
    "table.json": b'{"columns": ["left", "right"], "data": [[1, "x"], [null, {"k": 2}]]}',
    "conf.json": b'{"deep":{"er":[1,2]}}',
    "broken.json": b'{"deep":',
    "train.py": b"print('<b>')\n",
    "weights.bin": b"\x00\x01\x02",
    "fake.txt": b"text\x00no",
    "plots/page.html": b"<script>document.title='x'</script>",
    "plots/fig.png": b"\x89PNG\r\n",
    "plots/fig.svg": b"<svg onload='alert(1)'/>",
    "model/MLmodel": b'flavors: {sklearn: {}}\nsignature: {inputs: \'[{"name": "x", "type": "double"}]\'}\n',
}


@pytest.fixture
def run_id(people: People) -> str:
    run_id = make_run(people.ada)
    folder = folder_of_run(Run.objects.select_related("experiment").get(run_id=run_id))
    for path, content in FILES.items():
        folder.write(ArtifactPath.parse(path), io.BytesIO(content))
    return run_id


def shown(persona: Persona, run_id: str, path: str) -> str:
    answer = persona.browser().get(f"/runs/{run_id}/artifacts/", {"path": path}, headers=HTMX)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def raw(persona: Persona, run_id: str, path: str, **query: Any) -> Any:
    return persona.browser().get(f"/runs/{run_id}/artifacts/raw/", {"path": path, **query})


def test_the_page_lists_the_root_and_a_fragment_one_folder(people: People, run_id: str) -> None:
    browser = people.vera.browser()
    text = browser.get(f"/runs/{run_id}/artifacts/").content.decode()
    assert "readme.md" in text
    assert "fig.png" not in text
    inside = browser.get(f"/runs/{run_id}/artifacts/", {"folder": "plots"}, headers=HTMX).content.decode()
    assert "fig.png" in inside
    assert "<html" not in inside


def test_a_run_without_files(people: People) -> None:
    assert "Nothing here yet" in people.ada.browser().get(f"/runs/{make_run(people.ada)}/artifacts/").content.decode()


def test_an_address_with_a_file_is_a_whole_page(people: People, run_id: str) -> None:
    text = people.vera.browser().get(f"/runs/{run_id}/artifacts/", {"path": "train.py"}).content.decode()
    assert "<html" in text
    assert "print(" in text


@pytest.mark.parametrize(
    ("path", "wanted", "unwanted"),
    [
        ("readme.md", "<h1>Heading</h1>", "<script>alert"),
        ("data.csv", '<td class="cell" title="a, b">', "<i>c</i>"),
        ("table.json", ">left</th>", "columns"),
        ("conf.json", "&quot;er&quot;", "<script"),
        ("broken.json", "&quot;deep&quot;:", "<script"),
        ("train.py", "&lt;b&gt;", "<b>"),
        ("weights.bin", "No preview", "<pre"),
        ("fake.txt", "No preview", "<pre"),
        ("model/MLmodel", "x: double", "<script"),
        ("plots/page.html", 'sandbox="allow-scripts"', "document.title"),
        ("plots/fig.png", "<img", "<iframe"),
    ],
)
def test_previews(people: People, run_id: str, path: str, wanted: str, unwanted: str) -> None:
    text = shown(people.vera, run_id, path)
    assert wanted in text
    assert unwanted not in text


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\nb: *a",
        "a: !!python/object:os.system x",
        "- 1",
        ":\n:",
        "signature: 3",
        pytest.param(f"model_size_bytes: 0x{'f' * 9000}", id="a number too long to be written"),
    ],
)
def test_a_strange_mlmodel_is_text(people: People, run_id: str, text: str) -> None:
    folder = folder_of_run(access.get_run(people.ada.actor, run_id))
    folder.write(ArtifactPath.parse("model/MLmodel"), io.BytesIO(text.encode()))
    assert "<pre" in shown(people.vera, run_id, "model/MLmodel")


def test_a_long_text_is_cut(people: People, run_id: str) -> None:
    folder = folder_of_run(access.get_run(people.ada.actor, run_id))
    folder.write(ArtifactPath.parse("long.log"), io.BytesIO(b"line\n" * 200_000))
    text = shown(people.vera, run_id, "long.log")
    assert "beginning of the file" in text
    assert len(text) < 1_000_000


@pytest.mark.parametrize("path", ["plots/page.html", "plots/fig.svg"])
def test_what_could_run_is_sent_without_an_origin(people: People, run_id: str, path: str) -> None:
    answer = raw(people.vera, run_id, path)
    assert b"".join(answer) == FILES[path]
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert (answer["X-Content-Type-Options"], answer["X-Frame-Options"]) == ("nosniff", "SAMEORIGIN")


def test_a_picture_is_sent_as_a_picture(people: People, run_id: str) -> None:
    answer = raw(people.vera, run_id, "plots/fig.png")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")


@pytest.mark.parametrize("path", ["train.py", "weights.bin", "readme.md"])
def test_all_else_is_an_attachment(people: People, run_id: str, path: str) -> None:
    answer = raw(people.vera, run_id, path)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="{path}"'
    assert b"".join(answer) == FILES[path]


def test_a_download_is_an_attachment_whatever_it_is(people: People, run_id: str) -> None:
    answer = raw(people.vera, run_id, "plots/page.html", download=1)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


BAD = [
    "../x",
    "/etc/passwd",
    "a/../../b",
    "..%2f..%2fx",
    "a\\b",
    "x\x00",
    "C:\\x",
    "file:///etc/passwd",
    "a//b",
    "x" * 2000,
]


@pytest.mark.parametrize("path", BAD)
def test_paths_that_lead_out_are_refused(people: People, run_id: str, path: str) -> None:
    browser = people.ada.browser()
    assert browser.get(f"/runs/{run_id}/artifacts/", {"path": path}, headers=HTMX).status_code == 400
    assert browser.get(f"/runs/{run_id}/artifacts/", {"folder": path}, headers=HTMX).status_code == 400
    assert raw(people.ada, run_id, path).status_code == 400


@pytest.mark.parametrize(("path", "status"), [("nothing.txt", 404), ("plots", 400), ("", 400)])
def test_what_is_no_file(people: People, run_id: str, path: str, status: int) -> None:
    assert raw(people.ada, run_id, path).status_code == status


@pytest.mark.parametrize("path", ["artifacts/", "artifacts/?path=train.py", "artifacts/raw/?path=train.py"])
def test_who_and_how(people: People, run_id: str, path: str) -> None:
    assert people.cleo.browser().get(f"/runs/{run_id}/{path}").status_code == 404
    assert people.ada.browser().post(f"/runs/{run_id}/{path}").status_code == 405


def test_the_files_of_a_logged_model(people: People, run_id: str) -> None:
    run = Run.objects.select_related("experiment").get(run_id=run_id)
    model = LoggedModel.objects.create(
        model_id="m-1", experiment=run.experiment, name="model", created_ms=1, updated_ms=1
    )
    folder_of_logged_model(model).write(ArtifactPath.parse("MLmodel"), io.BytesIO(FILES["model/MLmodel"]))
    browser = people.vera.browser()
    assert "MLmodel" in browser.get("/logged-models/m-1/artifacts/").content.decode()
    answer = browser.get("/logged-models/m-1/artifacts/raw/", {"path": "MLmodel"})
    assert b"".join(answer) == FILES["model/MLmodel"]
    outsider = people.cleo.browser()
    for path in ("", "raw/?path=MLmodel"):
        assert outsider.get(f"/logged-models/m-1/artifacts/{path}").status_code == 404
