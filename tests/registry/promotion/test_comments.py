"""Comments on versions, and who hears of them."""

from __future__ import annotations

import pytest

from apps.core.errors import InvalidInput, PermissionDenied
from apps.notifications.models import Notification
from apps.registry import actions
from apps.registry.models import Comment, ModelVersion
from tests.personas import People
from tests.registry.promotion.making import make_model, make_version


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def told(people: People) -> dict[str, bool]:
    """Who heard of it; whether as one who is mentioned."""
    return dict(Notification.objects.values_list("user__username", "is_mention"))


def test_a_mention_reaches_who_may_read(people: People, version: ModelVersion) -> None:
    actions.comment_on(people.ben.actor, version=version, text="@max, look; @cleo too. Mail a@vera.org")
    assert told(people) == {"ada": False, "max": True}
    assert "commented on iris-classifier version 1: @max, look" in Notification.objects.filter(is_mention=True)[0].text


def test_who_commented_before_hears_of_it(people: People, version: ModelVersion) -> None:
    actions.comment_on(people.vera.actor, version=version, text="first")
    actions.comment_on(people.ada.actor, version=version, text="second")
    assert told(people) == {"ada": False, "vera": False}


def test_a_change_tells_whom_it_mentions_now(people: People, version: ModelVersion) -> None:
    comment = actions.comment_on(people.ada.actor, version=version, text="@max")
    actions.change_comment(people.ada.actor, comment=comment, text="@max @ben")
    assert told(people) == {"max": True, "ben": True}
    assert Notification.objects.count() == 2


def test_others_change_and_delete_nothing(people: People, version: ModelVersion) -> None:
    comment = actions.comment_on(people.ada.actor, version=version, text="mine")
    with pytest.raises(PermissionDenied):
        actions.change_comment(people.root.actor, comment=comment, text="theirs")
    with pytest.raises(PermissionDenied):
        actions.delete_comment(people.max.actor, comment=comment)
    actions.delete_comment(people.root.actor, comment=comment)
    assert not Comment.objects.exists()


@pytest.mark.parametrize("text", ["", " \n", "x" * 65_536, "a\0", "\udc80"])
def test_what_is_no_comment(people: People, version: ModelVersion, text: str) -> None:
    with pytest.raises(InvalidInput):
        actions.comment_on(people.ada.actor, version=version, text=text)
