"""The pages and the API of builds."""

from __future__ import annotations

from typing import Any

import pytest

from apps.projects.models import Build, ProjectRun
from apps.registry.models import ModelVersion
from tests.api import call, names
from tests.personas import People
from tests.projects.builds.making import built, make_model, start
from tests.projects.making import queue
from tests.registry.gates.test_files import put
from tests.registry.web.asking import HTMX

PAGE = "/models/forge/iris/versions/1/build/"


@pytest.fixture
def version(people: People) -> ModelVersion:
    queue()
    return make_model(people)


def text(who: Any, **headers: str) -> str:
    answer = who.browser().get(PAGE, headers=headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_version_that_was_not_built_says_what_a_build_is(people: People, version: ModelVersion) -> None:
    assert "Not built yet" in text(people.vera) and "<form" not in text(people.vera, **HTMX)
    assert 'action="/models/forge/iris/versions/1/build/"' in text(people.ben, **HTMX)
    assert f'hx-get="{PAGE}"' in people.vera.browser().get("/models/forge/iris/versions/1/").content.decode()


def test_the_button_queues_a_build(people: People, version: ModelVersion) -> None:
    answer = people.ben.browser().post(PAGE)
    run = ProjectRun.objects.get()
    assert answer["Location"] == f"/project-runs/{run.pk}/"
    assert (run.owner, run.build.version) == (people.ben.user, version)
    assert people.ben.browser().get(answer["Location"]).status_code == 200
    assert "goes on" in text(people.vera)
    assert people.ben.browser().post(PAGE)["Location"] == PAGE
    assert ProjectRun.objects.count() == 1


def test_what_the_newest_found_is_shown(people: People, version: ModelVersion) -> None:
    built(version, people.ada, latency_ms=2.5, example=True, scored=20, packages=["numpy==2.0"], python="3.11.2")
    shown = text(people.vera)
    assert "green" in shown and "2.50 ms" in shown and "numpy==2.0" in shown and "120 ms" in shown
    put(people.ada, version, "data/weights.txt", "3\n")
    assert "counts for no gate" in text(people.vera)


def test_why_one_failed_is_shown_and_escaped(people: People, version: ModelVersion) -> None:
    build = built(version, people.ada)
    Build.objects.filter(pk=build.pk).update(is_green=False, error="<script>alert(1)</script>")
    shown = text(people.vera)
    assert "<script>alert(1)" not in shown and "&lt;script&gt;alert(1)" in shown


def test_the_address_by_number_leads_there(people: People, version: ModelVersion) -> None:
    assert people.vera.browser().get(f"/model-versions/{version.pk}/build/")["Location"] == PAGE
    assert people.cleo.browser().get(f"/model-versions/{version.pk}/build/").status_code == 404


def test_by_the_api(people: People, version: ModelVersion, django_assert_num_queries: Any) -> None:
    made = call(people.ben, "POST", "builds/", {"name": "iris", "version": 1, "priority": 80}, expect=201)
    assert (made["name"], made["version"], made["state"], made["is_green"]) == ("iris", 1, "queued", None)
    assert call(people.vera, "GET", f"builds/{made['id']}/") == made
    call(people.ben, "POST", "builds/", {"name": "iris", "version": 1}, expect=409)
    for query, count in (("", 1), ("?name=iris&team=forge&version=1", 1), ("?name=other", 0)):
        with django_assert_num_queries(1):
            assert len(call(people.vera, "GET", f"builds/{query}")["results"]) == count
    assert names(call(people.cleo, "GET", "builds/"), "id") == []


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"name": "none", "version": 1}, 404),
        ({"name": "iris", "version": 2}, 404),
        ({"name": "iris", "version": "x"}, 400),
        ({"name": "iris", "version": 1, "priority": 101}, 400),
        ({"name": "iris", "version": 1, "queue": "gpu"}, 400),
        ({"name": "iris", "version": 1, "team": "harbour"}, 404),
    ],
)
def test_bad_input(people: People, version: ModelVersion, given: dict[str, Any], status: int) -> None:
    call(people.ben, "POST", "builds/", given, expect=status)
    assert not Build.objects.exists()


def test_who_may(people: People, version: ModelVersion) -> None:
    call(people.vera, "POST", "builds/", {"name": "iris", "version": 1}, expect=403)
    call(people.cleo, "POST", "builds/", {"team": "forge", "name": "iris", "version": 1}, expect=404)
    assert people.vera.browser().post(PAGE).status_code == 403
    assert people.cleo.browser().post(PAGE).status_code == 404
    call(people.cleo, "GET", f"builds/{start(people.ada, version).pk}/", expect=404)


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_statements_does_not_grow(
    people: People, version: ModelVersion, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        built(version, people.ada)
    browser = people.vera.browser()
    browser.get(PAGE)
    with django_assert_num_queries(11):
        browser.get(PAGE)
