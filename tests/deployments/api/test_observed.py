"""Logs, traffic and hosts over the API."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.deployments.actions.common import now_ms
from apps.deployments.models import Instance, InstanceLog, Revision, ServingHost, TrafficMinute
from tests.api import call, names
from tests.deployments.making import add_revision, make_host, make_ready, ready_deployment
from tests.personas import People, Persona

AT = "deployments/iris/"


def log_of(who: Persona, instance: Instance, **query: Any) -> tuple[str, int, int, bool]:
    """The text, where it begins and ends, and whether nothing comes after."""
    answer = who.request("GET", f"/api/v1/{AT}instances/{instance.pk}/log/", query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    start, end = (int(answer[f"X-Log-{name}"]) for name in ("Start", "Offset"))
    return answer.content.decode(), start, end, answer["X-Log-Ended"] == "true"


def write(instance: Instance, *texts: str) -> None:
    """Let its host have kept these pieces, one after the other."""
    at = 0
    for text in texts:
        end = at + len(text.encode())
        InstanceLog.objects.create(instance=instance, start=at, end=end, text=text)
        at = end


@pytest.mark.django_db
def test_a_log_is_read_in_pieces(people: People) -> None:
    ready_deployment(people.ada)
    instance = Instance.objects.get()
    assert log_of(people.vera, instance) == ("", 0, 0, False)
    write(instance, "one\n", "zwei ü\n")
    assert log_of(people.vera, instance) == ("one\nzwei ü\n", 0, 12, False)
    assert log_of(people.vera, instance, offset=4, limit=4) == ("zwei", 4, 8, False)
    assert log_of(people.vera, instance, offset=-4)[0] == " ü\n"
    assert log_of(people.vera, instance, offset=12) == ("", 12, 12, False)
    Instance.objects.update(ended_ms=now_ms(), state="ended")
    assert log_of(people.vera, instance, offset=4) == ("zwei ü\n", 4, 12, False)
    assert log_of(people.vera, instance, offset=12) == ("", 12, 12, True)


@pytest.mark.django_db
def test_who_reads_lets_its_host_write_on(people: People) -> None:
    ready_deployment(people.ada)
    instance = Instance.objects.get()
    log_of(people.vera, instance)
    instance.refresh_from_db()
    assert instance.log_wanted_ms > 0


@pytest.mark.django_db(transaction=True)
def test_who_waits_is_answered_as_soon_as_there_is_something(people: People) -> None:
    ready_deployment(people.ada)
    instance = Instance.objects.get()
    answers: list[Any] = []

    def read() -> None:
        answers.append(log_of(people.vera, instance, wait=25))
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    write(instance, "hello\n")
    reader.join(20)
    assert answers == [("hello\n", 0, 6, False)]


@pytest.mark.django_db
def test_bad_questions_about_logs(people: People) -> None:
    ready_deployment(people.ada)
    path = f"{AT}instances/{Instance.objects.get().pk}/log/"
    for query in ({"offset": "x"}, {"offset": 2**60}, {"limit": 0}, {"limit": 2**30}, {"wait": 26}, {"wait": "nan"}):
        call(people.vera, "GET", path, query, expect=400)
    call(people.vera, "GET", f"{AT}instances/999999/log/", expect=404)
    call(people.cleo, "GET", path, expect=404)
    call(people.vera, "POST", path, expect=405)


MINUTE = 30_000_000


def count(revision: Revision, minute: int, **more: int) -> None:
    TrafficMinute.objects.create(revision=revision, minute=minute, **more)


@pytest.mark.django_db
def test_traffic_is_added_up(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    deployment = ready_deployment(people.ada)
    first, second = Revision.objects.get(), make_ready(add_revision(people.ada, deployment, canary=True), 0)
    count(first, MINUTE, requests=4, server_errors=1, b0=3, b1=1)
    count(first, MINUTE + 3, requests=2, client_errors=1, unreached=1, b2=2)
    count(second, MINUTE, requests=1, b9=1)
    count(first, MINUTE - 100, requests=50)
    asked = {"until_ms": (MINUTE + 9) * 60_000, "minutes": 10, "step": 1}
    call(people.vera, "GET", f"{AT}traffic/", asked)
    with django_assert_num_queries(2):
        found = call(people.vera, "GET", f"{AT}traffic/", asked)
    assert (found["from_ms"], found["until_ms"], found["step_minutes"]) == (MINUTE * 60_000, (MINUTE + 10) * 60_000, 1)
    assert [(point["from_ms"] // 60_000 - MINUTE, point["requests"]) for point in found["points"]] == [(0, 5), (3, 2)]
    assert [each["revision"] for each in found["revisions"]] == [1, 2]
    own = found["revisions"][0]["points"]
    assert [(each["server_errors"], each["client_errors"], each["unreached"]) for each in own] == [(1, 0, 0), (0, 1, 1)]
    assert own[0]["p50_ms"] == pytest.approx(2 / 3)
    assert own[1]["p95_ms"] == pytest.approx(2.95)
    wide = call(people.vera, "GET", f"{AT}traffic/", asked | {"step": 5, "revision": 1})
    assert [point["requests"] for point in wide["points"]] == [6]
    assert wide["from_ms"] // 60_000 % 5 == 0


@pytest.mark.django_db
def test_traffic_of_nobody(people: People) -> None:
    ready_deployment(people.ada)
    found = call(people.vera, "GET", f"{AT}traffic/")
    assert (found["points"], found["revisions"], found["step_minutes"]) == ([], [], 1)
    assert call(people.vera, "GET", f"{AT}traffic/", {"minutes": 10_080})["step_minutes"] == 120


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 10**6}, "minutes"),
        ({"minutes": 44_640, "step": 1}, "more than 1500 points"),
        ({"step": 0}, "step"),
        ({"until_ms": "now"}, "until_ms"),
        ({"revision": "x"}, "revision"),
    ],
)
def test_bad_questions_about_traffic(people: People, query: Any, said: str) -> None:
    ready_deployment(people.ada)
    assert said in call(people.vera, "GET", f"{AT}traffic/", query, expect=400)["message"]
    call(people.cleo, "GET", f"{AT}traffic/", query, expect=404)


@pytest.mark.django_db
def test_hosts(people: People) -> None:
    make_host("mill", abilities={"lacks": ["No cgroups."], "isolation": "sandboxed"})
    make_host("attic")
    ServingHost.objects.filter(name="attic").update(seen_ms=1)
    found = call(people.cleo, "GET", "deployments/hosts/")
    assert (names(found, "name"), names(found, "is_alive")) == (["mill", "attic"], [True, False])
    assert (found["results"][0]["lacks"], found["results"][0]["targets"]) == (["No cgroups."], ["process"])
    call(people.cleo, "POST", "deployments/hosts/", expect=405)
