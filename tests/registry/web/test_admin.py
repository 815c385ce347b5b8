"""Django's admin shows the registry: pages to look at, none to write."""

from __future__ import annotations

import pytest
from django.db.models import Model

from apps.registry import actions
from apps.registry import models as registry
from tests.personas import People
from tests.registry.web.asking import make_asked, make_policy

MODELS = [
    registry.Alias,
    registry.ModelVersion,
    registry.Policy,
    registry.PromotionRequest,
    registry.RegisteredModel,
]


@pytest.mark.parametrize("model", MODELS)
def test_rows_can_be_looked_at_and_not_changed(people: People, model: type[Model]) -> None:
    make_policy(approvals=1)
    asked = make_asked(people)
    actions.set_alias(people.max.actor, model=asked.version.model, alias="champion", version=asked.version)
    browser, place = people.root.browser(), f"/admin/registry/{model._meta.model_name}/"
    row = f"{place}{model._default_manager.values_list('pk', flat=True)[0]}/"
    for page in (place, f"{place}?q=a", f"{row}change/", f"{row}history/"):
        assert browser.get(page).status_code == 200, page
    assert browser.get(f"{place}add/").status_code == 403
    for page in (f"{row}change/", f"{row}delete/"):
        assert browser.post(page, {"post": "yes"}).status_code == 403, page
    assert people.max.browser().get(place).status_code == 403


@pytest.mark.parametrize(
    "name", ["approvergroup", "check", "comment", "decision", "gateresult", "override", "placement"]
)
def test_lists(people: People, name: str) -> None:
    assert people.root.browser().get(f"/admin/registry/{name}/?q=a").status_code == 200


@pytest.mark.parametrize("name", ["delivery", "mailout", "mailpreference", "notification", "subscription", "webhook"])
def test_lists_of_notifications(people: People, name: str) -> None:
    assert people.root.browser().get(f"/admin/notifications/{name}/").status_code == 200
