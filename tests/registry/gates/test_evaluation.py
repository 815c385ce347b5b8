from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from apps.experiments.actions import now_ms
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.registry import gates
from apps.registry.gates import others
from apps.registry.gates.metric import MetricGate
from apps.registry.models import GateResult, PromotionRequest
from apps.registry.stages import Slot
from tests.personas import People
from tests.registry.gates.cases import ask, evaluate, gate, judge, make_version

ALL = (
    gate("metric", key="accuracy", value=0.5),
    gate("better", key="accuracy"),
    gate("signature"),
    gate("tag", key="a", value="b"),
    gate("tag", key="a", value="b", where="run"),
    gate("description"),
    gate("check", name="tests", reporter="ben"),
    gate("project_run", project="iris"),
)


def test_results_are_kept_once_for_each_round(people: People) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge), *ALL[:2])
    evaluate(request)
    evaluate(request)
    request.round = 2
    evaluate(request)
    assert list(GateResult.objects.order_by("round", "place").values_list("round", "place", "kind")) == [
        (1, 0, "metric"),
        (1, 1, "better"),
        (2, 0, "metric"),
        (2, 1, "better"),
    ]


def test_a_request_that_was_stale_is_fresh_afterwards(people: People) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge), gate("description"))
    PromotionRequest.objects.update(stale_ms=1)
    evaluate(request)
    assert PromotionRequest.objects.get().stale_ms is None


def test_gates_about_runs_are_looked_at_again_a_minute_later(people: People) -> None:
    for about_run in (ALL[0], ALL[4]):
        request = ask(people.ada, make_version(people.ada, people.forge), about_run)
        evaluate(request)
        request.refresh_from_db()
        assert now_ms() + 50_000 < (request.stale_ms or 0) <= now_ms() + 60_000


def test_many_requests_cost_as_much_as_one(people: People, django_assert_num_queries: Any) -> None:
    versions = [make_version(people.ada, people.forge, metrics={"accuracy": 0.9}) for _ in range(3)]
    requests = [ask(people.ada, version, *ALL) for version in versions]
    for few in (requests[:1], requests):
        with django_assert_num_queries(12):
            results = gates.evaluate_many(few)
        assert [len(found) for found in results.values()] == [len(ALL)] * len(few)


def test_a_round_without_gates_costs_next_to_nothing(people: People, django_assert_num_queries: Any) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge))
    with django_assert_num_queries(3):
        assert evaluate(request) == []


def test_a_preview_keeps_nothing(people: People) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.9})
    states = [result.state for result in gates.preview(version, Slot.stage("Production"), ALL[:3])]
    assert states == ["passed", "passed", "failed"]
    assert not GateResult.objects.exists()


def test_texts_are_kept_in_one_language(people: People) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge), ALL[5])
    with translation.override("zh-hans"):
        assert evaluate(request)[0].text.startswith("The description has")


def test_each_gate_says_what_it_demands() -> None:
    assert [gates.describe(demanded) for demanded in ALL] == [
        "accuracy ≥ 0.5",
        "accuracy higher than that of the version in place",
        "has a signature",
        "tag a is “b”",
        "tag a of the run is “b”",
        "has a description",
        "check tests reported as passed by ben",
        "the newest run of iris about this version is green",
    ]


def test_what_this_release_does_not_know_nobody_passes(people: People) -> None:
    unknown = {"kind": "magic", "params": {"a": 1}}
    results = evaluate(ask(people.ada, make_version(people.ada, people.forge), unknown, ALL[5]))
    assert [result.state for result in results] == ["pending", "failed"]
    assert results[0].text.startswith("There is no gate 'magic'")


def test_one_that_breaks_keeps_no_others_from_being_judged(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(MetricGate, "judge", broken)
    results = evaluate(ask(people.ada, make_version(people.ada, people.forge), ALL[0], ALL[5]))
    assert [result.state for result in results] == ["pending", "failed"]


def test_a_store_that_is_away_is_waited_for(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(ArtifactFolder, "stat", away)
    (result,) = evaluate(ask(people.ada, make_version(people.ada, people.forge), ALL[2]))
    assert (result.state, result.text) == ("pending", "The version's files can't be read now")


def test_what_no_app_judges_waits(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "_JUDGES", {})
    (result,) = judge(people.ada, make_version(people.ada, people.forge), gate("project_run", project="iris"))
    assert (result.state, result.text) == ("pending", "Nothing on this server runs projects")
