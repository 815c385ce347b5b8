from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.experiments.models import Param, Run
from apps.registry.models import ModelVersion, ModelVersionTag
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.test_version_contents import FILES, MLMODEL, write

URL = "/models/forge/iris/compare/"
BOTH = {"versions": ["1", "2"]}


@pytest.fixture
def two(people: People) -> list[ModelVersion]:
    """Two versions of one model, that differ in signature, values, requirements, files and tags."""
    model = make_model(people.ada)
    other = {"requirements.txt": "mlflow==3.17.2\nscikit-learn==1.7\n", "MLmodel": MLMODEL.replace("petal", "sepal")}
    made = []
    for number, (accuracy, files) in enumerate(((0.9, FILES), (0.95, FILES | other | {"code/it's.py": "print(2)"}))):
        run = Run.objects.get(run_id=make_run(people.ada))
        log_metrics(people.ada, run.run_id, "accuracy", [accuracy])
        Param.objects.create(run=run, key="kernel", value=("rbf", "poly")[number])
        folder = write(run.run_id, files)
        made.append(make_version(people.ada, model, folder=folder, source=folder, source_run=run))
        ModelVersionTag.objects.create(version=made[-1], key="validated", value=("no", "yes")[number])
    return made


def test_it_shows_what_differs(people: People, two: list[ModelVersion]) -> None:
    page = people.vera.browser().get(URL, BOTH).content.decode()
    for shown in ("petal", "sepal", "rbf", "poly", "+0.05", "==1.6", "==1.7", "validated", "code/it&#x27;s.py"):
        assert shown in page
    only = people.vera.browser().get(URL, BOTH | {"only": "1"}).content.decode()
    assert "mlflow" in page.replace("mlflow.", "")
    assert "3.17.2" in page
    assert "3.17.2" not in only


def test_a_file_of_the_same_size_is_looked_into(people: People, two: list[ModelVersion]) -> None:
    page = people.vera.browser().get(URL, BOTH | {"only": "1"}).content.decode()
    assert "code/it&#x27;s.py" in page
    assert "serving_input_example.json" not in page


def test_values_of_a_run_that_one_may_not_read_are_left_out(people: People, two: list[ModelVersion]) -> None:
    run = Run.objects.get(run_id=make_run(people.cleo, experiment="theirs"))
    log_metrics(people.cleo, run.run_id, "secret-metric", [1.0])
    ModelVersion.objects.filter(pk=two[1].pk).update(source_run=run)
    page = people.ada.browser().get(URL, BOTH).content.decode()
    assert "secret-metric" not in page
    assert "may not read" in page


def test_versions_without_files_and_runs(people: People) -> None:
    model = make_model(people.ada)
    for _ in range(2):
        make_version(people.ada, model)
    assert people.ada.browser().get(URL, BOTH).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"versions": ["1"]}, 400),
        ({"versions": ["1", "2", "3"]}, 400),
        ({"versions": ["1", "x"]}, 400),
        ({"versions": ["1", "9"]}, 404),
        ({"versions": ["1", "9" * 30]}, 404),
    ],
)
def test_other_choices(people: People, two: list[ModelVersion], query: dict[str, list[str]], status: int) -> None:
    assert people.ada.browser().get(URL, query).status_code == status
    assert people.cleo.browser().get(URL, BOTH).status_code == 404
    assert people.ada.browser().post(URL).status_code == 405


def test_statements(people: People, two: list[ModelVersion], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    browser.get(URL, BOTH)
    with django_assert_num_queries(11):
        browser.get(URL, BOTH)
