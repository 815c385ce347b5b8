from __future__ import annotations

import json

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.registry.models import Alias, ModelVersion, ModelVersionTag, RegisteredModel
from apps.registry.selectors.prompts import changes, read_prompt
from tests.personas import People
from tests.registry.models import make_model, make_version

URL = "/prompts/"
PAGE = "/prompts/forge/greeting/"


@pytest.fixture
def prompt(people: People) -> RegisteredModel:
    """Two versions of a prompt of Ada's."""
    model = make_model(people.ada, "greeting", is_prompt=True)
    for text in ("Hello {{ name }}.\nBe kind.", "Hello {{ name }} of {{team}}.\nBe kind."):
        version = make_version(people.ada, model, source="dummy-source", description="first words")
        ModelVersionTag.objects.create(version=version, key="mlflow.prompt.text", value=text)
        ModelVersionTag.objects.create(version=version, key="mlflow.prompt.is_prompt", value="true")
    Alias.objects.create(model=model, version=version, name="live")
    return model


def test_the_list_holds_prompts_alone(people: People, prompt: RegisteredModel) -> None:
    make_model(people.ada, "iris-model")
    page = people.vera.browser().get(URL).content.decode()
    assert "greeting" in page
    assert "@live" in page
    assert "iris-model" not in page
    assert "greeting" not in people.cleo.browser().get(URL).content.decode()
    found = people.vera.browser().get(URL, {"q": "zzz"}, headers={"HX-Request": "true"}).content.decode()
    assert "No prompt matches" in found


def test_the_page_shows_the_text_and_its_variables(people: People, prompt: RegisteredModel) -> None:
    page = people.vera.browser().get(PAGE).content.decode()
    for shown in ("Hello {{ name }} of {{team}}", "prompts:/greeting/2", "first words", "@live"):
        assert shown in page
    assert "mlflow.prompt" not in page
    assert "dummy-source" not in page
    assert "of {{team}}" not in people.vera.browser().get(PAGE, {"version": "1"}).content.decode()


def test_changes_between_versions(people: People, prompt: RegisteredModel) -> None:
    page = people.vera.browser().get(PAGE, {"version": "2", "against": "1"}).content.decode()
    assert "- Hello {{ name }}." in page
    assert "+ Hello {{ name }} of" in page


def test_changes_leave_out_what_is_the_same() -> None:
    before = "\n".join(str(number) for number in range(100))
    found = changes(before, before.replace("50", "fifty"))
    assert [line.text for line in found if line.sign in "+-"] == ["50", "fifty"]
    assert len(found) < 12
    assert changes(before, before) == []


def test_chats_are_read_and_odd_ones_shown_as_they_are() -> None:
    chat = json.dumps([{"role": "system", "content": "Be {{ mood }}"}, {"role": "user", "content": ["a", 1]}])
    prompt = read_prompt({"mlflow.prompt.text": chat, "_mlflow_prompt_type": "chat"})
    assert prompt.messages[0] == ("system", "Be {{ mood }}")
    assert prompt.variables == ("mood",)
    for odd in ("{", "3", "[" * 100_000, '["a"]'):
        assert read_prompt({"mlflow.prompt.text": odd, "_mlflow_prompt_type": "chat"}).plain == odd


def test_a_prompt_is_written_in_the_browser(people: People) -> None:
    browser = people.ben.browser()
    assert browser.post("/prompts/new/", {"name": "greeting", "template": "Hi {{ you }}"})["Location"] == PAGE
    browser.post(f"{PAGE}write/", {"template": " Hi, {{ you }} ", "commit_message": "a comma"})
    assert ModelVersionTag.objects.get(version__number=2, key="mlflow.prompt.text").value == " Hi, {{ you }} "
    assert people.ben.call("GET", "registered-models/get", {"name": "greeting"})["registered_model"]["tags"]
    assert RegisteredModel.objects.get().is_prompt


@pytest.mark.parametrize("sent", [{"name": "a b", "template": "x"}, {"name": "a", "template": ""}, {}])
def test_what_is_refused_is_said_in_the_form(people: People, sent: dict[str, str]) -> None:
    sent = sent or {"name": "", "template": "x"}
    assert people.ada.browser().post("/prompts/new/", sent, headers={"HX-Request": "true"}).status_code == 422
    assert not RegisteredModel.objects.exists()


@pytest.mark.parametrize("query", [{"version": "9"}, {"version": "x"}, {"against": "9"}, {"version": "9" * 40}])
def test_no_such_version(people: People, prompt: RegisteredModel, query: dict[str, str]) -> None:
    assert people.ada.browser().get(PAGE, query).status_code in (400, 404)


def test_others(people: People, prompt: RegisteredModel) -> None:
    assert people.cleo.browser().get(PAGE).status_code == 404
    assert people.vera.browser().post(f"{PAGE}write/", {"template": "x"}).status_code == 403
    assert people.vera.browser().post(PAGE).status_code == 405
    assert people.ada.browser().get("/models/forge/greeting/versions/1/")["Location"] == f"{PAGE}?version=1"
    assert people.ada.browser().post("/models/forge/greeting/delete/")["Location"] == URL
    assert not ModelVersion.objects.exists()


def test_statements(people: People, prompt: RegisteredModel, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    for path in (URL, PAGE):
        browser.get(path)
    for _ in range(2):
        with django_assert_num_queries(9):
            browser.get(URL)
        with django_assert_num_queries(16):
            browser.get(PAGE)
        for number in range(5):
            version = make_version(people.ada, prompt)
            Alias.objects.get_or_create(model=prompt, name=f"a{number}", defaults={"version": version})
