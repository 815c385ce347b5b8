from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.registry import actions
from apps.registry.addresses import model_url
from apps.registry.models import Alias, ModelVersion, RegisteredModel, RegisteredModelTag
from tests.personas import People
from tests.registry.models import make_model, make_version

URL = "/models/"


def test_lists_the_models_of_the_team_with_stages_and_aliases(people: People) -> None:
    model = make_model(people.ada, "iris-classifier", description="**Bold** words, [a link](https://example.org)")
    make_version(people.ada, model, stage="Production")
    Alias.objects.create(model=model, version=make_version(people.ada, model), name="champion")
    page = people.vera.browser().get(URL).content.decode()
    for shown in ("iris-classifier", "Production v1", "@champion", "Bold words, a link"):
        assert shown in page
    assert "**Bold**" not in page


def test_another_team_sees_none_of_it(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "secret-plans"))
    browser = people.cleo.browser()
    assert "secret-plans" not in browser.get(URL).content.decode()
    for path in ("", "activity/", "versions/1/", "versions/1/activity/"):
        assert browser.get(f"/models/forge/secret-plans/{path}").status_code == 404


def test_search_and_stage_narrow_the_list(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "iris"), stage="Production")
    make_version(people.ada, make_model(people.ada, "wine"))
    browser, htmx = people.ada.browser(), {"HX-Request": "true"}
    by_name = browser.get(URL, {"q": "WIN"}, headers=htmx).content.decode()
    by_stage = browser.get(URL, {"stage": "Production"}, headers=htmx).content.decode()
    assert ("wine" in by_name, "iris" in by_name, "<html" in by_name) == (True, False, False)
    assert ("wine" in by_stage, "iris" in by_stage) == (False, True)


def test_the_list_takes_filters_of_the_protocol(people: People) -> None:
    for name, domain in (("iris", "flowers"), ("wine", "drinks")):
        RegisteredModelTag.objects.create(model=make_model(people.ada, f"{name}-model"), key="domain", value=domain)
    browser, htmx = people.ada.browser(), {"HX-Request": "true"}
    for text in ("tags.domain = 'drinks'", "name LIKE 'wi%' and tags.domain ILIKE '%INK%'"):
        page = browser.get(URL, {"q": text}, headers=htmx).content.decode()
        assert ("wine-model" in page, "iris-model" in page) == (True, False)
    for text in ("tags.domain = ", "metrics.x > 3", "name = 'a' or", "= = ="):
        answer = browser.get(URL, {"q": text}, headers=htmx)
        assert answer.status_code == 200
        assert "notice-bad" in answer.content.decode()
    assert browser.get("/prompts/", {"q": "tags.x ="}).status_code == 200


@pytest.mark.parametrize("sort", ["name", "-name", "newest", "-updated", "owner", "password", "-__class__"])
def test_any_sort_is_taken(people: People, sort: str) -> None:
    model = make_model(people.ada)
    make_version(people.ada, model)
    assert people.ada.browser().get(URL, {"sort": sort}).status_code == 200
    assert people.ada.browser().get("/models/forge/iris/", {"sort": sort}).status_code == 200


@pytest.mark.parametrize("query", [{"q": "\x00"}, {"page": "-1"}, {"stage": "\x00"}, {"q": "x" * 100_000}])
def test_odd_input(people: People, query: dict[str, str]) -> None:
    make_model(people.ada)
    assert people.ada.browser().get(URL, query).status_code == 200
    assert people.ada.browser().get("/models/forge/iris/", query).status_code == 200


def test_prompts_are_no_models(people: People) -> None:
    make_model(people.ada, "greeting", is_prompt=True)
    browser = people.ada.browser()
    assert "greeting" not in browser.get(URL).content.decode()
    assert browser.get("/models/forge/greeting/")["Location"] == "/prompts/forge/greeting/"


@pytest.mark.parametrize("name", ["50% off", "a?b#c", "käse & brot", "<script>alert(1)"])
def test_names_are_text_in_pages_and_addresses(people: People, name: str) -> None:
    model = make_model(people.ada, name)
    make_version(people.ada, model)
    browser = people.ada.browser()
    listed = browser.get(URL).content.decode()
    assert "<script>alert(1)" not in listed
    assert browser.get(model_url(model)).status_code == 200
    assert browser.get(model_url(model) + "versions/1/").status_code == 200


@pytest.mark.parametrize("path", ["", "activity/", "versions/1/", "versions/1/activity/"])
def test_only_get(people: People, path: str) -> None:
    make_version(people.ada, make_model(people.ada))
    assert people.ada.browser().post(f"/models/forge/iris/{path}").status_code == 405


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999"])
def test_no_such_version(people: People, number: str) -> None:
    make_version(people.ada, make_model(people.ada))
    assert people.ada.browser().get(f"/models/forge/iris/versions/{number}/").status_code == 404


def test_the_activity_tells_of_versions_too(people: People) -> None:
    model = make_model(people.ada)
    actions.describe_version(people.ben.actor, version=make_version(people.ada, model), description="better")
    actions.describe_model(people.ada.actor, model=model, description="flowers")
    page = people.vera.browser().get("/models/forge/iris/activity/").content.decode()
    assert "changed the description of the model" in page
    assert "iris version 1" in page


def test_a_version_with_many_aliases_names_some(people: People) -> None:
    model = make_model(people.ada)
    version = make_version(people.ada, model)
    Alias.objects.bulk_create([Alias(model=model, version=version, name=f"a-{number:02}") for number in range(25)])
    page = people.ada.browser().get("/models/forge/iris/versions/1/").content.decode()
    assert ("@a-19" in page, "@a-20" in page, "+5" in page) == (True, False, True)


def test_names_and_keys_lead_to_the_page(people: People) -> None:
    model = make_model(people.ada, "50% off")
    version = make_version(people.ada, model)
    browser = people.vera.browser()
    page = "/models/forge/50%25%20off/"
    assert browser.get("/models/find/", {"name": "50% off"})["Location"] == page
    assert browser.get("/models/find/", {"name": "50% off", "version": "1"})["Location"] == f"{page}versions/1/"
    assert browser.get(f"/registered-models/{model.pk}/")["Location"] == page
    assert browser.get(f"/model-versions/{version.pk}/")["Location"] == f"{page}versions/1/"
    for path in ("/models/find/?name=x", "/models/find/", "/registered-models/0/", f"/model-versions/{10**30}/"):
        assert browser.get(path).status_code == 404
    assert browser.get("/models/find/", {"name": "50% off", "version": "x"}).status_code == 400


def test_statements_of_the_list_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    _fill(people, 2)
    browser.get(URL)
    with django_assert_num_queries(9):
        browser.get(URL)
    _fill(people, 12)
    with django_assert_num_queries(9):
        browser.get(URL)


def test_statements_of_a_model_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser, model = people.ada.browser(), make_model(people.ada)
    make_version(people.ada, model)
    browser.get("/models/forge/iris/")
    with django_assert_num_queries(16):
        browser.get("/models/forge/iris/")
    for number in range(12):
        version = make_version(people.ada, model)
        Alias.objects.create(model=model, version=version, name=f"a-{number}")
    with django_assert_num_queries(16):
        browser.get("/models/forge/iris/")


def _fill(people: People, count: int) -> None:
    for number in range(count):
        model = make_model(people.ada, f"model-{count}-{number}")
        version = make_version(people.ada, model, stage="Staging")
        Alias.objects.create(model=model, version=version, name="best")
    assert ModelVersion.objects.count() == RegisteredModel.objects.count()
