from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.registry.actions import comment_on
from apps.registry.models import Comment, ModelVersion
from tests.personas import People
from tests.registry.models import make_model, make_version

PAGE = "/models/forge/iris/versions/1/discussion/"


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def test_readers_talk(people: People, version: ModelVersion) -> None:
    answer = people.vera.browser().post(PAGE, {"text": "**Why** this kernel, @ben? <script>alert(1)</script>"})
    said = Comment.objects.get()
    assert answer["Location"] == f"{PAGE}#comment-{said.pk}"
    page = people.ben.browser().get(PAGE).content.decode()
    assert "<strong>Why</strong>" in page
    assert "<script>alert(1)" not in page


def test_authors_change_and_delete_their_words(people: People, version: ModelVersion) -> None:
    said = comment_on(people.vera.actor, version=version, text="frist")
    browser = people.vera.browser()
    assert "Edit comment" in browser.get(PAGE).content.decode()
    browser.post(f"/comments/{said.pk}/edit/", {"text": "first"})
    assert Comment.objects.get().text == "first"
    assert browser.post(f"/comments/{said.pk}/delete/")["Location"] == PAGE
    assert not Comment.objects.exists()


def test_nobody_else_does(people: People, version: ModelVersion) -> None:
    said = comment_on(people.vera.actor, version=version, text="mine")
    assert "Edit comment" not in people.ben.browser().get(PAGE).content.decode()
    for who, status in ((people.ben, 403), (people.cleo, 404)):
        assert who.browser().post(f"/comments/{said.pk}/edit/", {"text": "x"}).status_code == status
        assert who.browser().post(f"/comments/{said.pk}/delete/").status_code == status


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 100_000])
def test_what_is_no_comment(people: People, version: ModelVersion, text: str) -> None:
    assert people.ada.browser().post(PAGE, {"text": text}).status_code == 422
    assert not Comment.objects.exists()


def test_statements(people: People, version: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    comment_on(people.vera.actor, version=version, text="one")
    browser.get(PAGE)
    with django_assert_num_queries(10):
        browser.get(PAGE)
    for _ in range(8):
        comment_on(people.ben.actor, version=version, text="more")
    with django_assert_num_queries(10):
        browser.get(PAGE)
