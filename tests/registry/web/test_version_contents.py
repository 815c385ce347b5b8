from __future__ import annotations

import io
import json

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import Run
from apps.registry.models import Alias, Check, ModelVersion
from apps.registry.selectors import contents
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People
from tests.registry.models import make_model, make_version

PAGE = "/models/forge/iris/versions/1/"
COLUMNS = '[{"type": "double", "name": "petal", "required": true}]'
MLMODEL = f"""
flavors:
  python_function: {{python_version: 3.11.7}}
  sklearn: {{}}
signature:
  inputs: '{COLUMNS}'
  outputs: '[{{"type": "long"}}]'
  params: null
saved_input_example_info:
  artifact_path: input_example.json
  serving_input_path: serving_input_example.json
  type: dataframe
"""
FILES = {
    "MLmodel": MLMODEL,
    "requirements.txt": "mlflow==3.17.2\nscikit-learn==1.6\n",
    "serving_input_example.json": json.dumps(
        {"dataframe_split": {"columns": ["petal"], "data": [[1.5], [2], [3], [4]]}}
    ),
    "code/it's.py": "print(1)",
}


def write(run_id: str, files: dict[str, str]) -> str:
    """The address of the folder in a run that now holds these files."""
    folder = folder_of_run(Run.objects.select_related("experiment").get(run_id=run_id))
    for name, text in files.items():
        folder.write(ArtifactPath.parse(f"model/{name}"), io.BytesIO(text.encode()))
    return f"{folder.uri}/model"


def make_full_version(people: People, **files: str) -> ModelVersion:
    """A version of `iris` with files, from a run of Ada's with a metric."""
    run_id = make_run(people.ada, name="brave-otter")
    log_metrics(people.ada, run_id, "accuracy", [0.975])
    run = Run.objects.get(run_id=run_id)
    folder = write(run_id, FILES | files)
    return make_version(people.ada, make_model(people.ada), folder=folder, source=folder, run_id=run_id, source_run=run)


def test_it_shows_what_the_files_and_the_run_say(people: People) -> None:
    make_full_version(people)
    page = people.vera.browser().get(PAGE).content.decode()
    for shown in ("petal", "double", "scikit-learn==1.6", "accuracy", "0.975", "brave-otter", "3.11.7"):
        assert shown in page
    assert "pd.DataFrame([[1.5], [2], [3]], columns=[&#x27;petal&#x27;])" in page
    assert "/invocations" in page


def test_without_an_example_one_is_made_of_the_signature(people: People) -> None:
    make_full_version(people, **{"serving_input_example.json": "", "MLmodel": MLMODEL.split("saved_input")[0]})
    page = people.vera.browser().get(PAGE).content.decode()
    assert "made up from the signature" in page
    assert "pd.DataFrame([[0.5]], columns=[&#x27;petal&#x27;])" in page


@pytest.mark.parametrize(
    "broken", ["", "a: *b", "- 1", "flavors: 3", "flavors: {a: {}}\nsignature: {inputs: '['}", "\x00", "x" * 2_000_000]
)
def test_a_broken_file_is_said_in_words(people: People, broken: str) -> None:
    make_full_version(people, MLmodel=broken)
    answer = people.vera.browser().get(PAGE)
    assert answer.status_code == 200
    assert "MLmodel" in answer.content.decode()


@pytest.mark.parametrize(
    "example",
    ["{", "[" * 100_000, "[" * 900 + "]" * 900, '{"inputs": [[1, 2]]}', '{"dataframe_split": 3}', '"a"', "7"],
)
def test_odd_examples(people: People, example: str) -> None:
    make_full_version(people, **{"serving_input_example.json": example})
    assert people.vera.browser().get(PAGE).status_code == 200


def test_an_example_of_any_depth() -> None:
    """Some depths can be read, and not be written a few calls further on."""
    for depth in range(1, 1000):
        assert bool(contents._as_body(b"[" * depth + b"]" * depth, is_body=depth % 2 == 0)) == (depth <= 64)


def test_the_files_are_listed_and_shown(people: People) -> None:
    make_full_version(people)
    browser = people.vera.browser()
    assert "MLmodel" in browser.get(f"{PAGE}files/").content.decode()
    assert "code/it&#x27;s.py" in browser.get(f"{PAGE}files/", {"path": "code/it's.py"}).content.decode()
    sent = browser.get(f"{PAGE}files/raw/", {"path": "requirements.txt", "download": "1"})
    assert b"".join(sent.streaming_content).startswith(b"mlflow")  # type: ignore[attr-defined]
    assert sent["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "model/../../x", "", "nothing.txt"])
def test_other_paths_are_refused(people: People, path: str) -> None:
    make_full_version(people)
    assert people.vera.browser().get(f"{PAGE}files/raw/", {"path": path}).status_code in (400, 404)


def test_another_team_gets_no_file(people: People) -> None:
    make_full_version(people)
    for place in ("files/", "files/raw/?path=MLmodel"):
        assert people.cleo.browser().get(PAGE + place).status_code == 404


def test_who_may_not_read_the_run_sees_none_of_its_values(people: People) -> None:
    run = Run.objects.get(run_id=make_run(people.cleo, name="their-run", experiment="theirs"))
    log_metrics(people.cleo, run.run_id, "secret-metric", [0.5])
    make_version(people.ada, make_model(people.ada), source_run=run, run_id=run.run_id)
    page = people.ada.browser().get(PAGE).content.decode()
    assert "their-run" not in page
    assert "secret-metric" not in page
    assert "You may not read the run" in page


def test_statements(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    version, browser = make_full_version(people), people.ada.browser()
    browser.get(PAGE)
    with django_assert_num_queries(18):
        browser.get(PAGE)
    for number in range(8):
        make_version(people.ada, version.model)
        log_metrics(people.ada, version.run_id, f"m{number}", [number])
        Alias.objects.create(model=version.model, version=version, name=f"a{number}")
        Check.objects.create(
            version=version, name=f"ci {number}", reporter_name="bot", state="passed", created_ms=1, updated_ms=1
        )
    with django_assert_num_queries(18):
        page = browser.get(PAGE).content.decode()
    assert "ci 7" in page
