"""Django's admin: pages to look at, none to write."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db.models import Model

from apps.accounts.actions import give_grant
from apps.accounts.admin import ReadOnlyAdmin
from apps.accounts.kinds import kind_of
from apps.accounts.models import Grant, Membership, ObjectKind, Team, Token, User
from apps.core.actor import Level
from tests.experiments.runs import make_run
from tests.personas import People

MODELS = [Grant, Membership, Team, Token, User]


@pytest.mark.parametrize("model", MODELS)
def test_rows_can_be_looked_at_and_not_changed(people: People, model: type[Model]) -> None:
    make_run(people.ada)
    experiment = people.ada.call("GET", "experiments/get", {"experiment_id": "0"})["experiment"]["experiment_id"]
    target = kind_of(ObjectKind.EXPERIMENT).find(people.root.actor, experiment, Level.MANAGE)
    give_grant(people.root.actor, target=target, to=people.harbour, level=Level.READ)
    browser, place = people.root.browser(), f"/admin/accounts/{model._meta.model_name}/"
    row = f"{place}{model._default_manager.values_list('pk', flat=True)[0]}/"
    for page in (place, f"{place}?q=a", f"{row}change/", f"{row}history/"):
        assert browser.get(page).status_code == 200, page
    assert browser.get(f"{place}add/").status_code == 403
    for page in (f"{row}change/", f"{row}delete/"):
        assert browser.post(page, {"post": "yes"}).status_code == 403, page
    assert people.max.browser().get(place).status_code == 403


def test_nothing_else_is_there() -> None:
    """What other apps show has tests there; what libraries bring along would be written past every action."""
    ours = [model for model in admin.site._registry if model._meta.app_label == "accounts"]
    assert sorted(model.__name__ for model in ours) == [model.__name__ for model in MODELS]
    assert {type(shown).__mro__[1] for shown in admin.site._registry.values()} == {ReadOnlyAdmin}
