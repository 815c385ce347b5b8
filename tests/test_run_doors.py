"""The doors for the tokens of project runs: every route of the URL map, and behind those that open, nothing but what is
the run's. The table is `tests/doors/project_runs.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse
from django.utils import timezone

from apps.accounts import actions
from apps.audit.models import Event
from apps.core.actor import system_actor
from apps.core.http import is_api_path
from apps.core.rules import NOT_FOR_RUNS, is_for_runs
from slipway.urls import PROTOCOL
from tests.doors import filled
from tests.doors.project_runs import RUN_DOORS, SAMPLES
from tests.doors.protocol import PROTOCOL_DOORS
from tests.doors.views import VIEW_DOORS
from tests.personas import Persona, make_people
from tests.test_doors import made_by_ada, undone
from tests.test_url_map import walk

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BEARERS = ("own", "elsewhere", "harbour")


@dataclass(frozen=True)
class World:
    """Runs that come with their tokens, and the ids of Ada's things."""

    runs: dict[str, Persona]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: what a test does is undone, call by call."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _world()
        transaction.set_rollback(True)


def _world() -> World:
    people = make_people()
    ids = made_by_ada(people)
    its_run, its_project = int(ids["project_run"]), int(ids["project"])
    elsewhere = people.ada.call("POST", "experiments/create", {"name": "elsewhere"})["experiment_id"]
    at_sea = people.cleo.call("POST", "experiments/create", {"name": "at sea"})["experiment_id"]
    end = timezone.now() + timedelta(hours=1)

    def token(who: Persona, experiment: str, project_run: int, project: int | None) -> Persona:
        _, text = actions.create_run_token(
            system_actor(),
            user=who.user,
            team=people.harbour if who is people.cleo else people.forge,
            experiment_id=int(experiment),
            project_run_id=project_run,
            project_id=project,
            name=f"project run {project_run}",
            expires_at=end,
        )
        return Persona(who.user, str(text))

    own = token(people.ada, ids["experiment"], its_run, its_project)
    runs = {"own": own, "elsewhere": token(people.ada, elsewhere, 10**6, None)}
    return World(runs | {"harbour": token(people.cleo, at_sea, 10**6 + 1, None)}, ids)


def path_of(line: str, ids: dict[str, str]) -> tuple[str, str, Any]:
    """The method, address and body of a line."""
    method, name = line.split(" ", 1)
    door = SAMPLES.get(line) or PROTOCOL_DOORS.get(line) or VIEW_DOORS[line]
    at, send = filled(door.at, ids), filled(door.send, ids)
    path = "/api/" + name.format(**at) if line in PROTOCOL_DOORS else reverse(name, kwargs=at)
    return method, path, send


@pytest.mark.parametrize("line", sorted(RUN_DOORS))
def test_what_opens_opens_no_further(world: World, line: str) -> None:
    method, path, send = path_of(line, world.ids)
    met = []
    for name in BEARERS:
        with undone():
            answer = world.runs[name].request(method, path, send)
        met.append(answer.status_code)
        if name != "own" and answer.status_code == 200:
            assert not names_of(world.ids) & set(re.findall(r"[\w-]+", answer.getvalue().decode()))
    assert tuple(met) == RUN_DOORS[line]


def names_of(ids: dict[str, str]) -> set[str]:
    """What would tell a run of another experiment about Ada's."""
    return {ids["run"], ids["model"]}


@pytest.mark.parametrize("line", sorted(set(PROTOCOL_DOORS) - set(RUN_DOORS)))
@pytest.mark.parametrize("prefix", ["/api/", "/ajax-api/"])
def test_the_rest_of_the_protocol_is_closed(world: World, line: str, prefix: str) -> None:
    method, path, send = path_of(line, world.ids)
    refused(world.runs["own"], method, prefix + path.removeprefix("/api/"), send)


VIEWS = sorted({line.split(" ", 1)[1]: line for line in VIEW_DOORS}.values())


@pytest.mark.parametrize("line", VIEWS)
def test_the_rest_of_the_views_is_closed(world: World, line: str) -> None:
    """By each method: the API refuses, and pages take no tokens at all."""
    _, path, send = path_of(line, world.ids)
    name = line.split(" ", 1)[1]
    for method in METHODS:
        if f"{method} {name}" in RUN_DOORS:
            continue
        if is_api_path(path):
            refused(world.runs["own"], method, path, send if f"{method} {name}" in VIEW_DOORS else {})
        else:
            answer = world.runs["own"].request(method, path, {})
            assert (answer.status_code, answer["Location"][:7]) == (302, "/login/")


def refused(who: Persona, method: str, path: str, send: Any) -> None:
    events = Event.objects.count()
    with undone():
        answer = who.request(method, path, send)
        assert Event.objects.count() == events
    assert answer.status_code in (403, 405)
    if answer.status_code == 403:
        said = answer.json()["message"]
        assert said == NOT_FOR_RUNS


def test_metrics_are_closed(world: World) -> None:
    assert world.runs["own"].request("GET", "/metrics").status_code == 403


def test_what_is_marked_has_a_line() -> None:
    """Marking an endpoint, a view or an action for runs is a decision, and the table says which were taken."""
    endpoints = {f"{route.method} {route.path}" for route in PROTOCOL.routes if route.endpoint.by_runs}
    views = {line if " api:" in line else line.split(" ", 1)[1] for line in set(RUN_DOORS) - set(PROTOCOL_DOORS)}
    assert endpoints == set(RUN_DOORS) & set(PROTOCOL_DOORS)
    assert set(marked()) == views


def marked() -> Iterator[str]:
    """Lines of the API's actions, and names of other views, that are marked for runs."""
    for _, entry in walk(get_resolver().url_patterns):
        view: Any = entry.callback
        if entry.name == "protocol" or not is_for_runs(view):
            continue
        of_class: dict[str, str] | None = getattr(view, "actions", None)
        if of_class is None:
            yield str(entry.name)
            continue
        for method, action in of_class.items():
            if action in view.cls.by_runs and method != "head":
                yield f"{method.upper()} api:{entry.name}"
