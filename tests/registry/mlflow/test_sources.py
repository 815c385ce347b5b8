"""What a source may name, who may lend it, and what is found."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import LoggedModel, Run
from apps.registry.models import ModelVersion
from tests.personas import People, Persona
from tests.registry.made import experiment_of, logged_model_of, model, run_of, version

pytestmark = pytest.mark.django_db
ABSENT = "0" * 32


def create(who: Persona, source: str, *, expect: int = 200, **more: Any) -> Any:
    return who.call("POST", "model-versions/create", {"name": "iris", "source": source, **more}, expect=expect)


def test_a_run_is_found_by_each_way_of_writing_it(people: People) -> None:
    ada, name = people.ada, model(people.ada)
    run_id, files = run_of(ada, experiment_of(ada))
    ways = [f"{files}/model", f"runs:/{run_id}/model", files.replace(":/", "://server.example:5000/", 1) + "/model"]
    for source in ways:
        for named in ({"run_id": run_id}, {}):
            version(ada, name, source, **named)
    for made in ModelVersion.objects.select_related("source_run"):
        assert made.source_run == Run.objects.get(run_id=run_id)
        assert made.folder == f"{files}/model"


def test_a_logged_model_brings_its_run(people: People) -> None:
    ada, name = people.ada, model(people.ada)
    experiment = experiment_of(ada)
    run_id, _ = run_of(ada, experiment)
    model_id, files = logged_model_of(ada, experiment, source_run_id=run_id)
    assert version(ada, name, f"models:/{model_id}", model_id=model_id)["run_id"] == run_id
    assert version(ada, name, f"models:/{model_id}", run_id="a-label")["run_id"] == "a-label"
    version(ada, name, f"{files}/part", model_id=model_id)
    made = list(ModelVersion.objects.order_by("number"))
    assert [each.folder for each in made] == [files, files, f"{files}/part"]
    assert {each.source_run for each in made} == {Run.objects.get(run_id=run_id)}
    assert {each.logged_model for each in made} == {LoggedModel.objects.get(model_id=model_id)}


def test_a_run_that_keeps_its_model_beside_it(people: People) -> None:
    """Clients from 3.0 on log `runs:/<run>/model` into the folder of a logged model."""
    ada, name = people.ada, model(people.ada)
    experiment = experiment_of(ada)
    run_id, files = run_of(ada, experiment)
    _, of_model = logged_model_of(ada, experiment, source_run_id=run_id)
    version(ada, name, f"runs:/{run_id}/m")
    folder_of_run(Run.objects.get(run_id=run_id)).write(ArtifactPath.parse("m/MLmodel"), ContentFile(b"flavors: {}"))
    version(ada, name, f"runs:/{run_id}/m")
    assert [made.folder for made in ModelVersion.objects.order_by("number")] == [of_model, f"{files}/m"]


def test_copies_keep_what_was_found(people: People) -> None:
    ada, name = people.ada, model(people.ada)
    run_id, files = run_of(ada, experiment_of(ada))
    version(ada, name, f"{files}/model")
    model(ada, "copy")
    ada.call("POST", "registered-models/alias", {"name": name, "alias": "best", "version": "1"})
    for source in ("models:/iris/1", "models:/iris@best", "models:/iris/latest", "models:/iris/None"):
        made = version(ada, "copy", source)
        assert (made["source"], made["run_id"]) == ("models:/iris/1", run_id)
    assert set(ModelVersion.objects.values_list("folder", flat=True)) == {f"{files}/model"}
    create(ada, "models:/iris/9", expect=404)
    create(ada, "models:/absent/1", expect=404)
    create(ada, "models:/iris/1", run_id=ABSENT, expect=400)


def test_what_nobody_has_is_registered_without_files(people: People) -> None:
    ada, name = people.ada, model(people.ada)
    made = version(ada, name, f"runs:/{ABSENT}/model", run_id=ABSENT)
    assert made["run_id"] == ABSENT
    assert ModelVersion.objects.get().is_broken
    asked = {"name": name, "version": "1"}
    assert ada.call("GET", "model-versions/get-download-uri", asked) == {"artifact_uri": f"runs:/{ABSENT}/model"}


def test_sources_outside_of_this_server_are_refused(people: People) -> None:
    ada = people.ada
    model(ada)
    experiment = experiment_of(ada)
    run_id, files = run_of(ada, experiment)
    other, of_other = run_of(ada, experiment)
    model_id, of_model = logged_model_of(ada, experiment)
    folders = f"mlflow-artifacts:/{experiment}"
    for source in (
        *("", " ", "model", "./model", "/etc/passwd", "//proc/self/root", "file:///etc", "FILE:///etc", "C:\\model"),
        *("dbfs:/model", "http://example.org/model", "https://example.org/m", "gs://bucket/m", "s3://bucket/m", "x:y"),
        *("mlflow-artifacts:/", "mlflow-artifacts:/..", "mlflow-artifacts:", "mlflow-artifacts:////x", folders),
        *(f"{files}/..", f"{files}/../x", f"{files}/%2e%2e/x", f"{files}//x", f"{files}/x/", f"{files}/x?y"),
        *(f"{files}/x#y", f"{files}/x;y", f"{files}/x\\y", f"{folders}/{run_id}", f"{folders}/{run_id}/other/x"),
        *(
            f"runs:/{run_id}/../x",
            f"runs:/{run_id}/",
            f"runs:/{run_id}/x/../y",
            f"runs://x/{run_id}/m",
            "runs:/",
            "runs:",
        ),
        *(
            "models:/",
            "models:/iris/",
            "models:/iris/1/2",
            "models:/iris@",
            "models:/@x",
            "models://x/iris/1",
            "models:",
        ),
        *(
            "models:/iris",
            "models:/iris/1?x",
            "models:/iris/1#x",
            f"MODELS:/{model_id}",
            f"{files}/\u0000",
            f"{files}/\uff0e\uff0e/x",
        ),
        *("S3://bucket/x", "x" * 3000, f"{files}/{'x' * 2000}"),
    ):
        create(ada, source, expect=400)
    for source, named in (
        (of_other, {"run_id": run_id}),
        (f"{of_other}/m", {"run_id": run_id}),
        (f"runs:/{other}/m", {"run_id": run_id}),
        (f"{of_model}/x", {"model_id": "m-" + ABSENT}),
        (f"models:/{model_id}", {"model_id": "m-" + ABSENT}),
        (f"runs:/{run_id}/m", {"model_id": model_id}),
        (f"{files}/m", {"model_id": model_id}),
        (f"{files}/m", {"run_id": "x" * 40}),
    ):
        create(ada, source, expect=400, **named)
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "file:///etc", "mlflow-artifacts:/..", "s3://b/../..", "runs:/R/../x"]
)
def test_a_prompt_is_no_way_around(people: People, source: str) -> None:
    model(people.ada)
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    create(people.ada, source, tags=tags, expect=400)
    create(people.ada, "dummy-source", expect=400)
    create(people.ada, "dummy-source", tags=tags)
    create(people.ada, "models:/iris/1", tags=tags, expect=400)


def test_what_the_caller_may_not_read_is_not_there(people: People) -> None:
    """Cleo, of another team, has a model; Ada's run, logged model and version are nothing to her."""
    ada, cleo = people.ada, people.cleo
    experiment = experiment_of(ada)
    run_id, files = run_of(ada, experiment)
    model_id, of_model = logged_model_of(ada, experiment)
    model(ada)
    version(ada, "iris", f"{files}/model")
    model(cleo, "hers")
    sources = (f"runs:/{run_id}/m", f"{files}/m", f"models:/{model_id}", of_model, "models:/iris/1")
    for source in sources:
        cleo.call("POST", "model-versions/create", {"name": "hers", "source": source}, expect=404)


def test_lending_another_teams_files_wants_the_right_to_edit_there(people: People) -> None:
    ada, cleo = people.ada, people.cleo
    experiment = experiment_of(ada)
    run_id, files = run_of(ada, experiment)
    model_id, _ = logged_model_of(ada, experiment)
    model(ada)
    version(ada, "iris", f"{files}/model")
    model(cleo, "hers")
    system = system_actor()
    sources = (f"runs:/{run_id}/m", f"models:/{model_id}", f"{files}/m", "models:/iris/1")
    for level, expect in ((Level.READ, 403), (Level.EDIT, 200)):
        for kind, reference in ((ObjectKind.EXPERIMENT, experiment), (ObjectKind.REGISTERED_MODEL, _key(ada))):
            target = kind_of(kind).find(system, reference, Level.MANAGE)
            accounts.give_grant(system, target=target, to=cleo.user, level=level)
        for source in sources:
            cleo.call("POST", "model-versions/create", {"name": "hers", "source": source}, expect=expect)


def test_no_address_of_a_folder_that_is_not_the_runs_own(people: People) -> None:
    ada = people.ada
    model(ada)
    run_id, files = run_of(ada, experiment_of(ada))
    elsewhere = files.replace(files.split("/")[1], "987654", 1)
    create(ada, f"{elsewhere}/m", run_id=run_id, expect=404)


def test_a_bucket_that_the_operator_allows(people: People, settings: Any) -> None:
    settings.ARTIFACT_LOCATIONS = ["s3://models/team"]
    ada = people.ada
    model(ada)
    body = {"name": "in a bucket", "artifact_location": "s3://models/team/one"}
    experiment = ada.call("POST", "experiments/create", body)["experiment_id"]
    run_id, files = run_of(ada, experiment)
    assert files == f"s3://models/team/one/{run_id}/artifacts"
    version(ada, "iris", f"{files}/model", run_id=run_id)
    version(ada, "iris", f"runs:/{run_id}/model")
    assert set(ModelVersion.objects.values_list("folder", flat=True)) == {f"{files}/model"}
    for source in (
        f"{files}/../x",
        "s3://models/team/one",
        f"s3://models/team/two/{run_id}/artifacts/m",
        "s3://models",
    ):
        create(ada, source, expect=404 if "two" in source else 400)


def test_a_run_in_the_trash_is_not_registered(people: People) -> None:
    ada = people.ada
    model(ada)
    run_id, files = run_of(ada, experiment_of(ada))
    people.max.call("POST", "runs/delete", {"run_id": run_id})
    create(ada, f"{files}/m", expect=400)


def _key(ada: Persona) -> str:
    return f"id:{ModelVersion.objects.get(owner=ada.user).model_id}"
