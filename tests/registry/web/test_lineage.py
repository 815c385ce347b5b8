from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.deployments.models import Deployment
from apps.experiments.models import Dataset, DatasetInput, ModelLink, Run
from apps.registry.models import ModelVersion
from apps.registry.selectors.lineage import lineage_of
from tests.deployments.making import make_deployment
from tests.experiments.runs import make_run
from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.test_model_forms import make_logged_model

PAGE = "/models/forge/iris/versions/1/lineage/"


@pytest.fixture
def version(people: People) -> ModelVersion:
    """A version of a logged model of a run that used a dataset; another run evaluated the model."""
    run = Run.objects.get(run_id=make_run(people.ada, name="brave-otter"))
    use_data(run)
    logged = make_logged_model(run)
    judge = Run.objects.get(run_id=make_run(people.ben, name="stern-judge"))
    ModelLink.objects.create(run=judge, model=logged, direction=ModelLink.Direction.INPUT)
    return make_version(
        people.ada, make_model(people.ada), source_run=run, logged_model=logged, folder="mlflow-artifacts:/1/x"
    )


def use_data(run: Run) -> None:
    data, _ = Dataset.objects.get_or_create(
        experiment=run.experiment, name="petals", digest="9f31c2aa", defaults={"source_type": "local", "source": "{}"}
    )
    DatasetInput.objects.create(run=run, dataset=data, context="training")


def test_it_goes_from_the_data_to_the_version_and_on(people: People, version: ModelVersion) -> None:
    graph = lineage_of(people.vera.actor, version)
    told = [f"{source.name} {label} {target.name}" for source, label, target in graph.sentences()]
    assert sorted(told) == [
        "brave-otter made classifier",
        "classifier registered as iris 1",
        "classifier used by stern-judge",
        "petals used for training by brave-otter",
    ]
    page = people.vera.browser().get(PAGE).content.decode()
    for shown in ("<svg", "petals", "9f31c2aa", "brave-otter", "stern-judge", 'href="/logged-models/'):
        assert shown in page


def test_copies_and_siblings_are_seen_from_both_ends(people: People, version: ModelVersion) -> None:
    copy = make_version(
        people.ada, make_model(people.ada, "lily"), folder=version.folder, source="models:/iris/1",
        source_run=version.source_run, logged_model=version.logged_model,
    )  # fmt: skip
    twin = make_version(people.ada, version.model, folder=version.folder, logged_model=version.logged_model)
    told = [
        f"{one.name} {label} {other.name}" for one, label, other in lineage_of(people.vera.actor, version).sentences()
    ]
    assert "iris 1 copied as lily 1" in told
    assert f"classifier registered as iris {twin.number}" in told
    back = lineage_of(people.vera.actor, copy)
    assert "iris 1 copied as lily 1" in [f"{one.name} {label} {other.name}" for one, label, other in back.sentences()]


def test_what_one_may_not_read_is_left_out(people: People) -> None:
    run = Run.objects.get(run_id=make_run(people.cleo, name="their-run", experiment="theirs"))
    use_data(run)
    make_version(people.ada, make_model(people.ada), source_run=run, run_id=run.run_id)
    page = people.ada.browser().get(PAGE).content.decode()
    assert "their-run" not in page
    assert "petals" not in page
    assert "may not read" in page


def test_versions_trained_on_the_same_data(people: People, version: ModelVersion) -> None:
    run = Run.objects.get(run_id=make_run(people.ben))
    use_data(run)
    make_version(people.ben, make_model(people.ben, "tulip"), source_run=run)
    hidden = Run.objects.get(run_id=make_run(people.cleo, experiment="theirs"))
    use_data(hidden)
    make_version(people.cleo, make_model(people.cleo, "theirs"), source_run=hidden)
    page = people.vera.browser().get(PAGE).content.decode()
    assert "tulip version 1" in page
    assert "theirs version 1" not in page


def test_a_version_of_nothing(people: People) -> None:
    make_version(people.ada, make_model(people.ada))
    assert "Nothing is known" in people.ada.browser().get(PAGE).content.decode()
    assert people.cleo.browser().get(PAGE).status_code == 404


def test_statements(people: People, version: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    browser.get(PAGE)
    with django_assert_num_queries(18):
        browser.get(PAGE)
    for _ in range(5):
        make_version(people.ada, version.model, folder=version.folder, logged_model=version.logged_model)
    with django_assert_num_queries(18):
        browser.get(PAGE)


def test_it_goes_on_to_what_serves_the_version(people: People, version: ModelVersion) -> None:
    deployment = make_deployment(people.ada, "petal-scorer", version=version)
    told = [
        f"{one.name} {label} {other.name}" for one, label, other in lineage_of(people.vera.actor, version).sentences()
    ]
    assert "iris 1 served by petal-scorer" in told
    assert "/deployments/petal-scorer/" in people.vera.browser().get(PAGE).content.decode()
    Deployment.objects.filter(pk=deployment.pk).update(team=people.harbour)
    assert "petal-scorer" not in people.vera.browser().get(PAGE).content.decode()
