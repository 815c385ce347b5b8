from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.deployments import actions
from apps.deployments.actions.common import now_ms
from apps.deployments.actions.traffic import set_routes
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment, Following, Instance, Revision, RevisionState, ServingHost, TrafficMinute
from apps.deployments.selectors.states import state_of
from apps.deployments.web.views.detail import now_of
from apps.registry.models import ModelVersion
from tests.deployments.making import (
    add_revision,
    fail,
    follow,
    fresh,
    make_deployment,
    make_host,
    make_instance,
    make_ready,
    ready_deployment,
    servable,
    wanted_of,
)
from tests.personas import People, Persona
from tests.registry.web.asking import HTMX

PAGE = "/deployments/iris/"
TABS = ["", "revisions/", "instances/", "logs/", "settings/", "activity/"]


def text_of(persona: Persona, path: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    answer = persona.browser().get(path, headers=headers)
    assert answer.status_code == status, answer.content
    return str(answer.content.decode())


def called(revision: Revision, requests: int, **more: int) -> None:
    """Let the gateway have counted calls of the minute before this one, each of 4 ms."""
    minute = now_ms() // 60_000 - 1
    TrafficMinute.objects.create(revision=revision, minute=minute, requests=requests, b3=requests, **more)


def test_the_list_says_what_serves_and_how_it_is_called(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    called(wanted_of(deployment), 1200, server_errors=30)
    page = text_of(people.vera, "/deployments/")
    for words in (
        ">iris</a>",
        "Ready",
        "revision 1",
        "1,200",
        "<polyline",
        "2.5 %",
    ):
        assert words in page
    assert "Deploy a model" not in page and "Deploy a model" in text_of(people.ben, "/deployments/")
    empty = text_of(people.cleo, "/deployments/")
    assert (
        "No deployments yet" in empty and "slipway deployments create" in empty and "mlflow deployments create" in empty
    )


def test_search_narrow_and_sort(people: People) -> None:
    for name in ("iris", "wine"):
        make_deployment(people.ada, name, version=servable(people.ada, name))
    actions.stop_deployment(people.ada.actor, deployment=Deployment.objects.get(name="wine"))
    found = text_of(people.ada, "/deployments/?q=win", headers=HTMX)
    assert ">wine</a>" in found and ">iris</a>" not in found and "<html" not in found
    assert ">iris</a>" not in text_of(people.ada, "/deployments/?state=stopped", headers=HTMX)
    for state in ("ready", "failed", "proposed", "starting"):
        assert "No deployment matches" in text_of(people.ada, f"/deployments/?state={state}")
    assert ">iris</a>" in text_of(people.ada, "/deployments/?state=pending&target=process")
    assert "No deployment matches" in text_of(people.ada, "/deployments/?target=docker&q=%00")
    for sort in ("name", "-name", "model", "-requests", "updated", "team", "nonsense", "-"):
        assert ">iris</a>" in text_of(people.ada, f"/deployments/?sort={sort}&page=99&model=x")
    by_name = text_of(people.ada, "/deployments/?sort=-name", headers=HTMX)
    assert by_name.index(">wine</a>") < by_name.index(">iris</a>")


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_costs_the_same_for_many(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for place in range(count):
        called(wanted_of(ready_deployment(people.ada, f"d{place}", version=servable(people.ada, f"m{place}"))), 3)
    browser = people.ada.browser()
    browser.get("/deployments/")
    for query, most in (("", 14), ("?state=ready", 16), ("?state=stopped", 14)):
        with django_assert_max_num_queries(most):
            browser.get(f"/deployments/{query}")


def test_parts_that_list_cost_the_same_for_many(people: People) -> None:
    """Where a version is deployed, the busiest of the team, hosts, and models to choose from."""
    browser = people.ada.browser()
    costs = []
    for count in (1, 4):
        for place in range(count):
            name = f"d{count}-{place}"
            make_host(name)
            called(wanted_of(ready_deployment(people.ada, name, version=servable(people.ada, name))), 3)
        version = servable(people.ada, f"shared-{count}")
        for place in range(count):
            ready_deployment(people.ada, f"s{count}-{place}", version=version)
        cost = []
        for path in (f"of/{version.pk}/", "of/team/", "hosts/", "new/"):
            with CaptureQueriesContext(connection) as seen:
                assert browser.get(f"/deployments/{path}").status_code == 200
            cost.append(len(seen))
        costs.append(cost)
    assert costs[0] == costs[1]


@pytest.mark.parametrize(("tab", "most"), list(zip(TABS, [29, 17, 17, 18, 17, 15], strict=True)))
def test_every_tab_opens_at_a_constant_cost(
    people: People, tab: str, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    for _ in range(3):
        make_ready(add_revision(people.ada, deployment))
    for persona in (people.vera, people.max):
        assert "iris" in text_of(persona, PAGE + tab)
    assert text_of(people.cleo, PAGE + tab, 404)
    browser = people.ada.browser()
    browser.get(PAGE + tab)
    with django_assert_max_num_queries(most):
        browser.get(PAGE + tab)


def test_who_may_only_look_is_offered_nothing_to_press(people: People) -> None:
    make_host()
    ready_deployment(people.ada)
    looking, changing = text_of(people.vera, PAGE), text_of(people.ben, PAGE)
    for words in ("Deploy a version", "More actions"):
        assert words not in looking and words in changing
    assert "Delete" not in changing and "Delete" in text_of(people.max, PAGE)
    assert "Make a new revision" not in text_of(people.vera, f"{PAGE}settings/")
    assert "/serve/iris/invocations" in looking and "SLIPWAY_TOKEN" in looking and "get_deploy_client" in looking


def test_a_change_is_shown_step_by_step(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada)
    for state, word in (("pending", "Pending"), ("building", "Building"), ("starting", "Starting")):
        Revision.objects.update(state=state)
        page = text_of(people.vera, PAGE, headers=HTMX)
        assert f'aria-current="step"><span class="way-mark"></span><span class="way-text"><b>{word}</b>' in page
        assert 'id="deployment-pill" hx-swap-oob="true"' in page and "<html" not in page
    make_ready(wanted_of(deployment))
    assert 'class="way"' not in text_of(people.vera, PAGE)


def test_what_failed_says_why_and_what_to_do(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    fail(add_revision(people.ada, deployment), "It wants <more> memory.\nMemoryError: 4 GB")
    page = text_of(people.ada, PAGE)
    for words in (
        "could not be made ready",
        "It wants &lt;more&gt; memory.",
        "MemoryError: 4 GB",
        "Try again",
        "Back to revision 1",
    ):
        assert words in page
    assert "Degraded" in page and "Try again</button>" not in text_of(people.vera, PAGE)
    assert people.ben.browser().post(f"{PAGE}retry/2/").status_code == 302
    assert wanted_of(deployment).state == RevisionState.PENDING


def test_what_answers_nobody_says_so_in_place_of_the_form(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada)
    revision = wanted_of(deployment)
    empty = '<p class="panel-body muted" id="why-not-called"></p>'
    assert "Nothing answers yet. Once an instance is ready it is called from here." in text_of(people.vera, PAGE)
    fail(revision)
    assert "Nothing answers: revision 1 could not be made ready." in text_of(people.vera, PAGE)
    # What comes by itself says it too, and takes it back.
    assert 'id="why-not-called" hx-swap-oob="true">Nothing answers' in text_of(people.vera, PAGE, headers=HTMX)
    make_ready(revision)
    assert empty in text_of(people.vera, PAGE)
    Instance.objects.update(state="unhealthy")
    assert empty in text_of(people.vera, PAGE)
    actions.stop_deployment(people.ada.actor, deployment=deployment)
    assert "It is stopped. Start it to call it." in text_of(people.vera, PAGE)


def test_what_starts_anew_is_no_failure(people: People) -> None:
    make_host()
    ready_deployment(people.ada)
    Instance.objects.update(state="ended", ended_ms=now_ms(), drain_ms=now_ms(), message="Its host was stopped.")
    page = text_of(people.vera, PAGE)
    assert "Its instances are starting; until one answers callers get 503." in page
    assert "None of its instances answers now" not in page and "Its host was stopped." not in page


def test_each_button_of_the_settings_says_what_it_saves(people: People) -> None:
    ready_deployment(people.ada)
    page = text_of(people.ada, f"{PAGE}settings/")
    for words in ("Save description", "Make a new revision", "Save which versions", "Save port"):
        assert f">{words}</button>" in page
    assert ">Save</button>" not in page


def test_what_serves_and_does_not_answer_is_said_whatever_else_goes_on(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    Instance.objects.update(state="unhealthy", message="It does not answer its health check.")
    said = "None of its instances answers now; callers get 503. It does not answer its health check."
    assert said in text_of(people.vera, PAGE)
    second = add_revision(people.ada, deployment)
    assert said in text_of(people.vera, PAGE)
    fail(second)
    assert said in text_of(people.vera, PAGE)
    Instance.objects.update(state="ready")
    assert "callers get 503" not in text_of(people.vera, PAGE)


def test_nobody_who_serves_is_said_with_what_to_start(people: People) -> None:
    make_deployment(people.ada)
    for path in (PAGE, "/deployments/"):
        page = text_of(people.vera, path)
        assert "No serving supervisor is alive" in page and "<code>slipway serving</code>" in page
    make_host()
    assert "No serving supervisor" not in text_of(people.vera, PAGE)
    ServingHost.objects.update(seen_ms=0)
    assert "No serving supervisor" in text_of(people.vera, PAGE)


def test_what_the_registry_changed_under_it_is_said(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    Deployment.objects.update(stages=["Production"], port=5001, port_error="python (4242) listens there")
    page = text_of(people.ada, PAGE)
    assert "Only versions in Production may be deployed here" in page
    assert "The port 5001 can&#x27;t be had: python (4242) listens there" in page and "Choose another port" in page
    ModelVersion.objects.update(stage="Archived")
    assert "is archived. It goes on serving." in text_of(people.ada, PAGE)
    ModelVersion.objects.all().delete()
    page = text_of(people.ada, PAGE)
    assert "was deleted from the registry" in page
    assert text_of(people.ada, f"{PAGE}revisions/") and fresh(deployment)


def test_a_proposal_is_decided_on_the_page(people: People) -> None:
    make_host()
    rule = Follow(Following.STAGE, "Production")
    deployment = ready_deployment(people.ada, follow=rule)
    servable(people.ada, stage="Production")
    assert follow(deployment)
    page = text_of(people.vera, PAGE)
    assert "Version 2 is proposed" in page and "Who may edit the deployment decides." in page
    assert "Deploy as a canary" in text_of(people.ben, PAGE)
    assert "version 2 proposed" in text_of(people.vera, "/deployments/?state=proposed")
    assert people.ben.browser().post(f"{PAGE}accept/", {"canary": "1"}).status_code == 302
    canary = Revision.objects.get(number=2)
    assert canary.is_canary and canary.owner_name == "ben"
    assert "is proposed" not in text_of(people.ben, PAGE)


def test_a_canary_is_seen_beside_what_serves_and_given_traffic(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    canary = make_ready(add_revision(people.ada, deployment, canary=True), weight=0)
    called(canary, 50, server_errors=5)
    Revision.objects.filter(pk=canary.pk).update(ready_ms=now_ms() - 300_000)
    page = text_of(people.ben, PAGE)
    for words in ("Canary", "10 %", "Promote", "End the canary", 'value="25"'):
        assert words in page
    browser = people.ben.browser()
    sent = {"canary": "2", "base": "1", "percent": "25"}
    assert browser.post(f"{PAGE}shift/", sent).status_code == 302
    assert "<b>25 %</b>" in text_of(people.vera, PAGE)
    assert "Promote" not in text_of(people.vera, PAGE)
    asked = text_of(people.ben, f"{PAGE}promote/2/", headers=HTMX)
    for words in ("Give revision 2 all the traffic?", "iris version 2", "25 %", "10 %", "4.0 ms"):
        assert words in asked
    assert wanted_of(deployment).number == 1
    assert text_of(people.vera, f"{PAGE}promote/2/", 403) and text_of(people.ben, f"{PAGE}promote/9/", 404)
    assert browser.post(f"{PAGE}promote/2/", {"reason": "as good"}).status_code == 302
    assert wanted_of(deployment).number == 2
    assert Event.objects.get(code="deployment.traffic_shifted", note="as good")
    back = text_of(people.ben, f"{PAGE}roll-back/")
    assert "Roll back to revision 1?" in back and "It is warm" in back
    assert browser.post(f"{PAGE}roll-back/", {"reason": "worse"}).status_code == 302
    assert wanted_of(deployment).number == 1


def test_what_was_before_the_canary_is_not_compared_with_it(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    called(wanted_of(deployment), 50, server_errors=5)
    canary = make_ready(add_revision(people.ada, deployment, canary=True), weight=0)
    compared = [traffic.requests for _, traffic in now_of(state_of(fresh(deployment)))["compared"]]
    assert compared == [0, 0]
    Revision.objects.filter(pk=canary.pk).update(ready_ms=now_ms() - 300_000)
    compared = [traffic.requests for _, traffic in now_of(state_of(fresh(deployment)))["compared"]]
    assert compared == [50, 0]


def test_a_split_without_a_canary_is_ended_on_the_page(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment))
    actions.shift_traffic(people.ada.actor, deployment=deployment, weights={1: 30, 2: 70})
    page = text_of(people.ben, PAGE)
    assert "Split traffic" in page and "All traffic to revision 2" in page
    assert "All traffic to" not in text_of(people.vera, PAGE)
    assert people.ben.browser().post(f"{PAGE}promote/2/", {}).status_code == 302
    assert "Split traffic" not in text_of(people.ben, PAGE)


def test_a_canary_that_failed_is_tried_again_or_ended(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment))
    fail(add_revision(people.ada, deployment, canary=True), "It wants more memory.")
    page = text_of(people.ben, PAGE)
    panel = page.partition('aria-labelledby="canary-title"')[2].partition("</section>")[0]
    assert "Try it again, or end it." in panel and "Promote" not in panel
    for words in ("Try again</button>", "End the canary</button>"):
        # In the notice, which says why, and in the panel.
        assert words in panel and page.count(words) == 2
    # The way back is of what serves, which did not fail.
    assert "Back to revision" not in page
    assert people.ben.browser().post(f"{PAGE}retry/3/").status_code == 302
    assert "once it is ready" in text_of(people.ben, PAGE)


@pytest.mark.parametrize("percent", ["", "x", "-5", "101", "1" * 30, "\u0665"])
def test_a_share_that_is_none_is_refused(people: People, percent: str) -> None:
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment, canary=True), weight=0)
    answer = people.ada.browser().post(f"{PAGE}shift/", {"canary": "2", "base": "1", "percent": percent}, follow=True)
    assert answer.status_code in (200, 400)
    assert fresh(deployment).wanted_id == Revision.objects.get(number=1).pk


def test_revisions_say_what_each_changed(people: People) -> None:
    deployment = ready_deployment(people.ada)
    config = {"memory_mb": 512, "env_vars": {"LEVEL": "<b>"}}
    add_revision(people.ben, deployment, config=Config.from_json(config), reason="it <grew>")
    page = text_of(people.vera, f"{PAGE}revisions/")
    for words in ("memory_mb", "LEVEL", "&lt;b&gt;", "it &lt;grew&gt;", "version 2", "current", "ben"):
        assert words in page
    assert "Roll back to it" not in page
    assert "Roll back to it" in text_of(people.ada, f"{PAGE}revisions/")


def test_instances_say_how_they_are(people: People) -> None:
    deployment = ready_deployment(people.ada)
    lacks = ["cpus: no controller."]
    make_instance(wanted_of(deployment), memory_bytes=150_000_000, unenforced=lacks, failures=3)
    ended = make_instance(wanted_of(deployment), message="Killed: out of memory.", exit_code=-9)
    ended.ended_ms, ended.state = ended.started_ms, "ended"
    ended.save()
    page = text_of(people.vera, f"{PAGE}instances/")
    for words in (
        "MB",
        "cpus: no controller.",
        "Killed: out of memory.",
        "code -9",
        "mill",
    ):
        assert words in page
    Deployment.objects.update(is_stopped=True)
    Revision.objects.get().instances.all().delete()
    assert "It is stopped" in text_of(people.vera, f"{PAGE}instances/")


def test_traffic_for_charts_is_of_each_revision(people: People) -> None:
    deployment = ready_deployment(people.ada)
    called(wanted_of(deployment), 60, server_errors=3, unreached=1)
    set_routes(deployment, {wanted_of(deployment): 100})
    browser = people.vera.browser()
    for span, points in (("1h", 60), ("6h", 72), ("24h", 96), ("7d", 84), ("nonsense", 60)):
        series = browser.get(f"{PAGE}traffic/?span={span}").json()
        assert abs(len(series["times"]) - points) <= 1
        (line,) = series["revisions"]
        assert line["number"] == 1 and sum(line["requests"]) == 60 and sum(line["errors"]) == 4
        assert {value for value in line["p50"] if value is not None} == {4.0}
    assert people.cleo.browser().get(f"{PAGE}traffic/").status_code == 404


def test_a_version_says_where_it_is_deployed(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    version = wanted_of(deployment).version
    assert version is not None
    part = text_of(people.vera, f"/deployments/of/{version.pk}/")
    assert ">iris</a>" in part and "Ready" in part and "deployments/new/" not in part
    assert f"/deployments/new/?version={version.pk}" in text_of(people.ben, f"/deployments/of/{version.pk}/")
    page = text_of(people.ben, "/models/forge/iris/versions/1/")
    assert f"/deployments/of/{version.pk}/" in page and f"/deployments/new/?version={version.pk}" in page
    assert f"/deployments/new/?model={version.model_id}" in text_of(people.ben, "/models/forge/iris/")
    assert text_of(people.cleo, f"/deployments/of/{version.pk}/", 404)
