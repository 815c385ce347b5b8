"""What a version in production, or asked about, is made of stays as it is."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import Conflict
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import Run
from apps.registry import actions
from apps.registry.models import ModelVersion, Policy
from apps.registry.policies import Rules
from apps.registry.stages import Slot
from tests.personas import People, Persona
from tests.registry.gates.cases import PRODUCTION, ask, make_version
from tests.registry.gates.test_files import put

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


def govern(people: People, slot: Slot = PRODUCTION) -> Policy:
    return actions.set_policy(people.root.actor, slot=slot, rules=Rules(approver_role="maintainer"))


def in_production(people: People) -> ModelVersion:
    """With a file `model/MLmodel`, and `notes.txt` beside the model."""
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", "one")
    run_folder(people.ada, version, "PUT", "notes.txt")
    version.stage = "Production"
    version.save()
    return version


def run_folder(who: Persona, version: ModelVersion, method: str, path: str) -> int:
    """The status of a call on a file of the version's run."""
    root = version.folder.removeprefix("mlflow-artifacts:/").removesuffix("/model")
    status: int = who.request(method, f"{ARTIFACTS}{root}/{path}", b"two").status_code
    return status


def test_without_a_policy_nothing_is_held(people: People) -> None:
    version = in_production(people)
    assert run_folder(people.ada, version, "PUT", "model/MLmodel") == 200
    assert run_folder(people.ada, version, "DELETE", "model/") == 200
    people.ada.call("POST", "runs/delete", {"run_id": version.run_id})


def test_files_in_a_governed_slot_are_not_written(people: People) -> None:
    version = in_production(people)
    govern(people)
    for path in ("model/MLmodel", "model/new.txt", "model/deep/new.txt", "notes.txt"):
        assert run_folder(people.ada, version, "PUT", path) == 409, path
    assert run_folder(people.ada, version, "PUT", "more.txt") == 200
    assert run_folder(people.ada, version, "PUT", "model2/MLmodel") == 200


@pytest.mark.parametrize("path", ["model/MLmodel", "model/", "notes.txt"])
def test_files_in_a_governed_slot_are_not_removed(people: People, path: str) -> None:
    version = in_production(people)
    govern(people)
    assert run_folder(people.ada, version, "DELETE", path) == 409
    folder = folder_of_run(Run.objects.select_related("experiment").get(run_id=version.run_id))
    assert folder.exists(ArtifactPath.parse(path.rstrip("/")))


def test_the_answer_names_the_version(people: People) -> None:
    version = in_production(people)
    govern(people)
    answer = people.ada.call("POST", "runs/delete", {"run_id": version.run_id}, expect=409)
    assert answer["message"] == "This can't be deleted now: iris version 1 is in Production, which a policy governs."


def test_an_administrator_removes_no_folder_above(people: People) -> None:
    version = in_production(people)
    govern(people)
    assert version.source_run is not None
    experiment, run_id = version.source_run.experiment_id, version.run_id
    for path in (f"{experiment}/", f"{experiment}/{run_id}/", f"{experiment}/{run_id}/artifacts/"):
        assert people.root.request("DELETE", f"{ARTIFACTS}{path}").status_code == 409, path
    assert people.root.request("PUT", f"{ARTIFACTS}elsewhere/file", b"x").status_code == 200


def test_an_open_request_holds_too(people: People) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", "one")
    request = ask(people.ada, version)
    assert run_folder(people.ada, version, "PUT", "model/MLmodel") == 409
    actions.cancel_request(people.ada.actor, request=request)
    assert run_folder(people.ada, version, "PUT", "model/MLmodel") == 200


def test_a_protected_alias_holds_too(people: People) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", "one")
    actions.set_alias(people.max.actor, model=version.model, alias="champion", version=version)
    assert run_folder(people.ada, version, "PUT", "model/MLmodel") == 200
    govern(people, Slot.alias("champion"))
    assert run_folder(people.ada, version, "PUT", "model/MLmodel") == 409


def test_what_is_held_does_not_go_into_the_trash(people: People) -> None:
    version = in_production(people)
    govern(people)
    assert version.source_run is not None
    people.ada.call("POST", "runs/delete", {"run_id": version.run_id}, expect=409)
    experiment = {"experiment_id": str(version.source_run.experiment_id)}
    people.root.call("POST", "experiments/delete", experiment, expect=409)
    assert not Run.objects.get(run_id=version.run_id).is_deleted


def test_what_was_in_the_trash_before_is_not_removed_for_good(people: People) -> None:
    version = in_production(people)
    people.ada.call("POST", "runs/delete", {"run_id": version.run_id})
    govern(people)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("gc", stdout=out)
    assert "is in Production, which a policy governs" in out.getvalue()
    assert Run.objects.filter(run_id=version.run_id).exists()


def test_a_logged_model_is_held(people: People) -> None:
    experiment = people.ada.call("POST", "experiments/create", {"name": "held"})["experiment_id"]
    made = people.ada.call("POST", "logged-models", {"experiment_id": experiment, "name": "m"})
    model_id = made["model"]["info"]["model_id"]
    model = actions.create_model(people.ada.actor, name="iris")
    version = actions.create_version(people.ada.actor, model=model, source=f"models:/{model_id}")
    ask(people.ada, version)
    url = f"{ARTIFACTS}{experiment}/models/{model_id}/artifacts/MLmodel"
    assert people.ada.request("PUT", url, b"x").status_code == 409
    people.ada.call("DELETE", f"logged-models/{model_id}", expect=409)


class Slow:
    """A body whose sender lets the version into production before its end."""

    def __init__(self, people: People) -> None:
        self._people, self._chunks = people, [b"", b"evil"]

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._chunks.pop()
        if not chunk:
            govern(self._people)
        return chunk


def test_a_body_that_was_on_its_way_comes_too_late(people: People) -> None:
    version = in_production(people)
    run = Run.objects.select_related("experiment").get(run_id=version.run_id)
    folder, path = folder_of_run(run), ArtifactPath.parse("model/MLmodel")
    with pytest.raises(Conflict):
        folder.write(path, Slow(people))
    assert folder.head(path, 100) == b"one"


def test_an_ordinary_write_asks_once(people: People, django_assert_num_queries: Any) -> None:
    version = make_version(people.ada, people.forge)
    assert version.source_run is not None
    run = Run.objects.select_related("experiment").get(pk=version.source_run.pk)
    with django_assert_num_queries(1):
        folder_of_run(run).require_writable(ArtifactPath.parse("notes.txt"))


def test_in_the_browser_the_words_stand_on_a_page(people: People) -> None:
    version = in_production(people)
    govern(people)
    answer = people.ada.browser().post(f"/runs/{version.run_id}/delete/")
    assert answer.status_code == 409
    assert "iris version 1 is in Production" in answer.content.decode()
