"""The gate that asks for a green build."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.projects import actions
from apps.projects.models import Build
from apps.registry import gates
from apps.registry.models import GateResult, ModelVersion
from tests.personas import People
from tests.projects.builds.making import built, make_model, start
from tests.registry.gates.cases import PRODUCTION, ask, evaluate, gate
from tests.registry.gates.test_files import put


def verdict(version: ModelVersion, **params: Any) -> tuple[str, str]:
    (result,) = gates.preview(version, PRODUCTION, [gate("build", **params)])
    return result.state, result.text


def test_it_waits_for_a_build(people: People) -> None:
    version = make_model(people)
    (result,) = gates.preview(version, PRODUCTION, [gate("build")])
    assert (result.state, result.text) == ("pending", "It was not built yet")
    assert (result.evidence["url"], result.evidence["starts"]) == (f"/model-versions/{version.pk}/build/", True)
    start(people.ada, version)
    assert verdict(version)[0] == "pending"


def test_a_green_build_lets_it_pass(people: People) -> None:
    version = make_model(people)
    build = built(version, people.ada, latency_ms=2.5, example=True, bytes=3_000_000)
    assert verdict(version) == ("passed", f"Build #{build.pk} loaded it in 0.12 s, its example takes 2.5 ms")
    assert verdict(version, max_latency_ms=3, max_megabytes=4)[0] == "passed"
    assert verdict(version, max_latency_ms=2) == ("failed", "Its example takes 2.5 ms, more than 2 ms")
    assert verdict(version, max_megabytes=2.5) == ("failed", "Its files take 3 MB, more than 2.5 MB")


def test_without_an_example_no_latency_passes(people: People) -> None:
    version = make_model(people)
    built(version, people.ada)
    assert verdict(version)[0] == "passed"
    assert verdict(version, max_latency_ms=1000) == ("failed", "It has no input example, so its latency isn't known")


def test_a_failed_build_does_not_pass_and_the_newest_counts(people: People) -> None:
    version = make_model(people)
    built(version, people.ada)
    later = built(version, people.ada)
    Build.objects.filter(pk=later.pk).update(is_green=False, error="no weights")
    assert verdict(version) == ("failed", "Its build failed: no weights")


def test_a_build_of_other_files_says_nothing(people: People) -> None:
    version = make_model(people)
    built(version, people.ada)
    put(people.ada, version, "data/weights.txt", "3\n")
    assert verdict(version) == ("pending", "Its files are others than those that were built")


def test_a_store_that_is_away_is_waited_for(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    version = make_model(people)
    built(version, people.ada)

    def away(*args: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(ArtifactFolder, "list", away)
    assert verdict(version) == ("pending", "The version's files can't be read now")


def test_a_cancelled_build_says_nothing(people: People) -> None:
    version = make_model(people)
    built(version, people.ada)
    actions.cancel_run(people.ada.actor, run=start(people.ada, version), reason="later")
    assert verdict(version)[0] == "passed"


def test_open_requests_are_judged_again_when_a_build_ends(
    people: People, django_capture_on_commit_callbacks: Any
) -> None:
    version = make_model(people)
    request = ask(people.ada, version, gate("build"))
    evaluate(request)
    with django_capture_on_commit_callbacks(execute=True):
        built(version, people.ada)
    assert GateResult.objects.get(request=request).state == "passed"


def test_many_cost_as_much_as_one(people: People, django_assert_num_queries: Any) -> None:
    versions = [make_model(people) for _ in range(3)]
    for version in versions:
        built(version, people.ada)
    requests = [ask(people.ada, version, gate("build")) for version in versions]
    for some in (requests[:1], requests):
        with django_assert_num_queries(6):
            gates.evaluate_many(some)


def test_bad_parameters_are_named() -> None:
    with pytest.raises(InvalidInput, match="'max_latency_ms' has to be a number"):
        gate("build", max_latency_ms="fast")


def test_it_says_what_it_demands() -> None:
    assert gates.describe(gate("build")) == "its build is green"
    wanted = gate("build", max_latency_ms=5, max_megabytes=0.5)
    words = "its build is green, its example takes at most 5 ms, its files take at most 0.5 MB"
    assert gates.describe(wanted) == words
