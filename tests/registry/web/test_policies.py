from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.actor import Role
from apps.registry.models import Policy
from apps.registry.stages import Slot
from tests.personas import People
from tests.registry.models import make_model
from tests.registry.web.asking import HTMX, make_asked, make_policy

URL = "/settings/policies/"
NEW = f"{URL}new/"
FORM = {
    "slot": "stage:Production",
    "approvals": "2",
    "approver_role": "maintainer",
    "ask_level": "20",
    "override_by": "site",
    "rollback_by": "admin",
    "archives_previous": "on",
}
METRIC = {
    "gate": "0",
    "gate-0-kind": "metric",
    "gate-0-key": "accuracy",
    "gate-0-operator": ">=",
    "gate-0-value": "0.95",
}


def save(**more: Any) -> dict[str, Any]:
    return FORM | {"act": "save"} | more


@pytest.fixture
def admin(people: People) -> People:
    """Max administers forge."""
    people.forge.memberships.filter(user=people.max.user).update(role=Role.ADMIN)
    return people


def test_the_site_s_default_is_one_form(people: People) -> None:
    answer = people.root.browser().post(NEW, save(**METRIC), headers=HTMX)
    assert answer["HX-Redirect"] == URL
    policy = Policy.objects.get()
    assert (policy.team, policy.model, policy.slot, policy.approvals) == (None, None, Slot.stage("Production"), 2)
    assert policy.gates == [{"kind": "metric", "params": {"key": "accuracy", "operator": ">=", "value": 0.95}}]
    listed = people.vera.browser().get(URL).content.decode()
    assert "2 approvals by maintainers and admins" in listed
    assert "accuracy ≥ 0.95" in listed


def test_a_team_s_and_a_model_s_are_set_by_the_team_s_admins(admin: People) -> None:
    make_model(admin.ada)
    assert admin.max.browser().post(f"{NEW}?team=forge", save(is_final="on")).status_code == 302
    assert (
        admin.max.browser().post(f"{NEW}?team=forge&model=iris", save(slot="alias", alias="champion")).status_code
        == 302
    )
    found = {(str(policy.slot), policy.team_id is None, policy.is_final) for policy in Policy.objects.all()}
    assert found == {("Production", False, True), ("@champion", True, False)}


@pytest.mark.parametrize(
    ("who", "query", "status"),
    [
        ("max", "", 403),
        ("ada", "?team=forge", 403),
        ("cleo", "?team=forge&model=iris", 404),
        ("cleo", "?team=forge", 404),
        ("max", "?team=forge&model=iris", 403),
    ],
)
def test_others_set_none(people: People, who: str, query: str, status: int) -> None:
    make_model(people.ada)
    browser = getattr(people, who).browser()
    assert (browser.get(NEW + query).status_code, browser.post(NEW + query, save()).status_code) == (status, status)
    assert not Policy.objects.exists()


def test_gates_come_and_go_and_what_was_typed_stays(people: People) -> None:
    browser = people.root.browser()
    typed = FORM | {"approvals": "x", "approver_role": "admin"} | METRIC
    more = browser.post(NEW, typed | {"act": "add", "add_kind": "description"}, headers=HTMX)
    shown = more.content.decode()
    assert more.status_code == 200
    for kept in ('value="accuracy"', 'value="x"', 'name="gate-1-characters"', 'value="admin" selected'):
        assert kept in shown
    assert "field-bad" not in shown
    less = browser.post(NEW, typed | {"act": "remove-0"}, headers=HTMX).content.decode()
    assert 'value="accuracy"' not in less


def test_the_summary_says_it_in_words(people: People) -> None:
    shown = people.root.browser().post(NEW, save(**METRIC) | {"act": "preview"}, headers=HTMX).content.decode()
    for words in (
        "2 approvals",
        "administrators of the site",
        "accuracy ≥ 0.95",
        "forge",
        "max",
        "administrators of the site",
    ):
        assert words in shown
    wrong = people.root.browser().post(NEW, FORM | {"approvals": "", "act": "preview"}, headers=HTMX).content.decode()
    assert "Something is still missing" in wrong
    assert not Policy.objects.exists()


def test_a_policy_changed_restarts_open_requests_visibly(people: People) -> None:
    policy = make_policy(approvals=1)
    asked = make_asked(people)
    people.root.browser().post(f"{URL}{policy.pk}/", save())
    asked.refresh_from_db()
    assert asked.round == 2
    assert (
        "a new round began because the policy changed"
        in people.max.browser().get(f"/approvals/{asked.pk}/").content.decode()
    )


def test_what_somebody_else_set_meanwhile_is_not_undone_unseen(people: People) -> None:
    policy = make_policy(approvals=1)
    browser, place = people.root.browser(), f"{URL}{policy.pk}/"
    assert 'name="revision" value="1"' in browser.get(place).content.decode()
    browser.post(place, save(revision="1", approvals="4"))
    more = browser.post(place, FORM | {"act": "add", "add_kind": "metric", "revision": "1"}, headers=HTMX)
    assert 'name="revision" value="1"' in more.content.decode()
    refused = browser.post(place, save(revision="1"), headers=HTMX)
    assert (refused.status_code, "root changed this policy meanwhile" in refused.content.decode()) == (422, True)
    assert 'name="revision" value="2"' in refused.content.decode()
    assert Policy.objects.get().approvals == 4
    assert browser.post(place, save(revision="2")).status_code == 302


def test_a_new_one_replaces_none(people: People) -> None:
    make_policy(approvals=4)
    refused = people.root.browser().post(NEW, save(), headers=HTMX)
    assert (refused.status_code, "There is a policy of Production already" in refused.content.decode()) == (422, True)
    assert Policy.objects.get().approvals == 4


def test_readers_read_it(people: People) -> None:
    policy = make_policy(approvals=3)
    page = people.vera.browser().get(f"{URL}{policy.pk}/").content.decode()
    assert ("3 approvals" in page, "<textarea" in page, "policy-form" in page) == (True, False, False)
    assert people.vera.browser().post(f"{URL}{policy.pk}/", save()).status_code == 403


def test_removing_one(people: People) -> None:
    policy = make_policy()
    assert people.max.browser().post(f"{URL}{policy.pk}/delete/").status_code == 403
    assert people.root.browser().post(f"{URL}{policy.pk}/delete/").status_code == 302
    assert not Policy.objects.exists()


def test_a_model_s_page_says_whose_policy_governs(admin: People) -> None:
    model = make_model(admin.ada)
    make_policy(approvals=4, is_final=True)
    make_policy(model=model, approvals=2)
    make_policy(Slot.alias("champion"), team=admin.forge)
    page = admin.max.browser().get("/models/forge/iris/policies/").content.decode()
    for shown in ("4 approvals", "which a final one overrules", "@champion", "the team", "One of its own", "No policy"):
        assert shown in page
    assert admin.cleo.browser().get("/models/forge/iris/policies/").status_code == 404
    start = admin.max.browser().get(f"{NEW}?team=forge&model=iris&slot=alias:champion").content.decode()
    assert 'value="champion"' in start


@pytest.mark.parametrize(
    "more",
    [
        {"approvals": "0"},
        {"approvals": "9" * 20},
        {"approver_role": ""},
        {"approver_role": "god"},
        {"approver_team": "99999"},
        {"approver_group": "x"},
        {"slot": "stage:None"},
        {"slot": "alias", "alias": ""},
        {"slot": "alias", "alias": "v1"},
        {"slot": "alias", "alias": "a\x00"},
        {"ask_level": "7"},
        {"override_by": "everybody"},
        {"timeout_hours": "-1"},
        METRIC | {"gate-0-value": "nan"},
        METRIC | {"gate-0-value": "1e999"},
        METRIC | {"gate-0-key": ""},
        METRIC | {"gate-0-key": "k" * 300},
        METRIC | {"gate-0-operator": "=="},
        METRIC | {"gate-0-value": "9" * 5000},
        METRIC | {name.replace("gate-0", "gate-1"): value for name, value in METRIC.items()} | {"gate": ["0", "1"]},
    ],
)
def test_odd_input_is_refused_in_place(people: People, more: dict[str, Any]) -> None:
    refused = people.root.browser().post(NEW, save(**more), headers=HTMX)
    assert refused.status_code == 422
    assert not Policy.objects.exists()


@pytest.mark.parametrize("query", ["?slot=stage:x", "?slot=%00", "?page=x", "?slot=alias:" + "x" * 400])
def test_odd_addresses(people: People, query: str) -> None:
    assert people.root.browser().get(NEW + query).status_code == 200
    assert people.root.browser().get(URL + query).status_code == 200
    assert people.root.browser().get(f"{URL}{10**30}/").status_code == 404


@pytest.mark.parametrize("act", ["add", "remove-99", "\x00", "drop"])
@pytest.mark.parametrize("kind", ["", "nonsense", "project_run"])
def test_odd_acts(people: People, act: str, kind: str) -> None:
    odd = {"act": act, "add_kind": kind, "gate": "x", "gate-x-kind": "metric"}
    assert people.root.browser().post(NEW, FORM | odd, headers=HTMX).status_code == 200


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_statements_does_not_grow(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        make_policy(Slot.alias(f"a{number}"), approver_team=people.forge)
    make_model(people.ada)
    browser = people.max.browser()
    browser.get(URL)
    with django_assert_num_queries(6):
        browser.get(URL)
    with django_assert_num_queries(10):
        browser.get("/models/forge/iris/policies/")
