from __future__ import annotations

import pytest

from apps.experiments.models import LoggedModel, LoggedModelMetric, LoggedModelParam, LoggedModelStatus, Run
from tests.experiments.runs import make_run
from tests.personas import People

PATH = "/logged-models/m-1/"


@pytest.fixture
def model(people: People) -> LoggedModel:
    run = Run.objects.get(run_id=make_run(people.ada, name="brave-otter"))
    made = LoggedModel.objects.create(
        model_id="m-1",
        experiment=run.experiment,
        name="classifier",
        status=LoggedModelStatus.READY,
        source_run_id=run.run_id,
        created_ms=1,
        updated_ms=1,
    )
    LoggedModelParam.objects.create(model=made, key="kernel", value="rbf")
    LoggedModelMetric.objects.create(model=made, run=run, key="accuracy", value=0.975, timestamp=1)
    return made


def test_it_shows_what_the_model_is(people: People, model: LoggedModel) -> None:
    text = people.vera.browser().get(PATH).content.decode()
    for shown in ("classifier", "kernel", "rbf", "accuracy", "0.975", "brave-otter", "Ready"):
        assert shown in text


def test_outsiders_see_nothing(people: People, model: LoggedModel) -> None:
    assert people.cleo.browser().get(PATH).status_code == 404


def test_a_source_run_of_another_team_is_not_named(people: People, model: LoggedModel) -> None:
    LoggedModel.objects.update(source_run_id=make_run(people.cleo, name="spy", experiment="theirs"))
    assert "spy" not in people.ada.browser().get(PATH).content.decode()


def test_only_get(people: People, model: LoggedModel) -> None:
    assert people.ada.browser().post(PATH).status_code == 405


@pytest.mark.parametrize("model_id", ["m-2", "x" * 300, "%00"])
def test_no_such_model(people: People, model: LoggedModel, model_id: str) -> None:
    assert people.ada.browser().get(f"/logged-models/{model_id}/").status_code in (400, 404)
