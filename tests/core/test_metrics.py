from __future__ import annotations

import re

from django.test import Client

from apps.accounts.actions import set_admin
from apps.accounts.epoch import forget_actors
from apps.accounts.models import Token
from apps.core.actor import Scope, system_actor
from tests.personas import People, Persona, token_for


def value(text: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
    return float(found[1]) if found else 0.0


def scrape(people: People) -> str:
    scraper = Persona(people.root.user, token_for(people.root.user, Scope.METRICS))
    response = scraper.request("GET", "/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    return str(response.content.decode())


def test_calls_are_counted_by_route_and_status(people: People) -> None:
    line = 'slipway_http_requests_total{kind="protocol",method="GET",route="get_run",status="404"}'
    before = value(scrape(people), line)
    people.ada.call("GET", "runs/get", {"run_id": "0" * 32}, expect=404)
    text = scrape(people)
    assert value(text, line) == before + 1
    assert value(text, 'slipway_http_route_seconds_total{route="get_run"}') > 0
    assert value(text, 'slipway_http_request_seconds_count{class="4xx",kind="protocol",method="GET"}') >= 1


def test_callers_can_not_make_up_labels(people: People) -> None:
    people.ada.request("GET", "/api/2.0/mlflow/made-up/route")
    Client().generic("MADEUP", "/health")
    assert "made-up" not in scrape(people)
    assert "MADEUP" not in scrape(people)


def test_what_there_is_is_counted(people: People) -> None:
    people.ada.call("POST", "experiments/create", {"name": "iris"})
    text = scrape(people)
    assert (value(text, "slipway_users"), value(text, "slipway_experiments")) == (6, 1)
    assert "slipway_audit_sealed_sequence 0.0" in text


def test_administrators_may_read_it(people: People) -> None:
    assert people.root.request("GET", "/metrics").status_code == 200


def test_others_may_not(people: People) -> None:
    assert people.ada.request("GET", "/metrics").status_code == 403
    reader = Persona(people.ada.user, token_for(people.ada.user, Scope.READ))
    assert reader.request("GET", "/metrics").status_code == 403
    assert Client().get("/metrics").status_code == 401


def test_who_is_no_administrator_any_more_may_not(people: People) -> None:
    scraper = Persona(people.root.user, token_for(people.root.user, Scope.METRICS))
    set_admin(system_actor(), user=people.ada.user, is_admin=True)
    set_admin(system_actor(), user=people.root.user, is_admin=False)
    forget_actors()
    response = scraper.request("GET", "/metrics")
    assert response.status_code == 403
    assert "administrators of the site" in response.json()["message"]


def test_a_token_that_somebody_made_before_does_not_read_it(people: People) -> None:
    scraper = Persona(people.ada.user, token_for(people.ada.user, Scope.SERVE))
    Token.objects.filter(user=people.ada.user, scopes="serve").update(scopes="metrics")
    assert scraper.request("GET", "/metrics").status_code == 403


def test_a_metrics_token_reaches_nothing_else(people: People) -> None:
    scraper = Persona(people.root.user, token_for(people.root.user, Scope.METRICS))
    scraper.call("GET", "runs/get", {"run_id": "0" * 32}, expect=403)
