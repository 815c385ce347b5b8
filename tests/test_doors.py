"""The doors: everybody against every route, under both prefixes. The tables are in `tests/doors/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts import actions
from apps.accounts.kinds import kind_of
from apps.accounts.mlflow.shapes import role_id
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.http import is_api_path
from apps.deployments.models import Instance
from apps.projects.actions import set_secret
from apps.registry.actions import comment_on
from apps.registry.stages import Slot
from slipway.urls import PROTOCOL
from tests.deployments.making import ready_deployment
from tests.doors import filled
from tests.doors.protocol import PROTOCOL_DOORS
from tests.doors.views import OPEN_OR_ELSEWHERE, VIEW_DOORS
from tests.notifications.hooks import notification_ids
from tests.personas import PASSWORD, People, Persona, make_people
from tests.projects.making import make_project, make_run, make_schedule, make_worker, queue
from tests.registry.models import make_model, make_version
from tests.registry.promotion.making import promotion_ids
from tests.registry.web.asking import asked_for, make_policy

pytestmark = pytest.mark.django_db
NAMES = ("cleo", "vera", "ben", "max", "root")


@dataclass(frozen=True)
class World:
    """Everybody, and the ids of Ada's things in the team forge."""

    people: People
    ids: dict[str, str]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: what a test does is undone, call by call."""
    with django_db_blocker.unblock(), transaction.atomic():
        people = make_people()
        yield World(people, made_by_ada(people))
        transaction.set_rollback(True)


def made_by_ada(people: People) -> dict[str, str]:
    """Her experiment, shared with Yan and not with Zoe, a run, a logged model and a registered one."""
    ada, system, tags = people.ada, system_actor(), [{"key": "kind", "value": "x"}]
    experiment = ada.call("POST", "experiments/create", {"name": "iris", "tags": tags})["experiment_id"]
    run = ada.call("POST", "runs/create", {"experiment_id": experiment, "tags": tags})["run"]["info"]["run_id"]
    ada.call("POST", "runs/log-metric", {"run_id": run, "key": "loss", "value": 1, "timestamp": 1, "step": 0})
    model = ada.call("POST", "logged-models", {"experiment_id": experiment, "name": "m", "tags": tags})
    make_version(ada, make_model(ada, "classifier"))
    deployed = ready_deployment(ada)
    policy = make_policy(Slot.alias("guarded"))
    asked = asked_for(ada, make_version(ada, make_model(ada, "promoted")))
    project = make_project(ada)
    waiting, nightly = make_run(ada, project), make_schedule(ada, project)
    set_secret(system, team=people.forge, name="S3_KEY", value="an open sesame")
    said = comment_on(ada.actor, version=asked.version, text="Look.")
    yan = actions.create_user(system, username="yan", password=PASSWORD)
    actions.create_user(system, username="zoe", password=PASSWORD)
    actions.create_user(system, username="bot", password=None, is_service=True, team=people.forge)
    target = kind_of(ObjectKind.EXPERIMENT).find(system, experiment, Level.MANAGE)
    grant = actions.give_grant(system, target=target, to=yan, level=Level.READ)
    return (
        notification_ids(people)
        | promotion_ids(people)
        | {
            "experiment": experiment,
            "run": run,
            "model": model["model"]["info"]["model_id"],
            "team": str(people.forge.pk),
            "role": str(role_id(people.forge.pk, Role.MEMBER)),
            "token": str(ada.user.tokens.get().pk),
            "session": "1",
            "grant": str(grant.pk),
            "request": str(asked.pk),
            "policy": str(policy.pk),
            "registered": str(asked.version.model_id),
            "version": str(asked.version_id),
            "comment": str(said.pk),
            "project": str(waiting.project_id),
            "project_run": str(waiting.pk),
            "queue": queue("empty").name,
            "worker": make_worker().name,
            "schedule": str(nightly.pk),
            "deployment": deployed.name,
            "instance": str(Instance.objects.get(revision__deployment=deployed).pk),
            "event": str(Event.objects.filter(code="experiment.created", object_name="iris").get().pk),
        }
    )


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is taken back, so that each persona meets the same world."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def persona(people: People, name: str) -> Persona:
    found = getattr(people, name)
    assert isinstance(found, Persona)
    return found


@pytest.mark.parametrize("line", sorted(PROTOCOL_DOORS))
def test_protocol(world: World, line: str) -> None:
    method, route = line.split(" ", 1)
    door = PROTOCOL_DOORS[line]
    path = route.format(**filled(door.at, world.ids))
    met: dict[str, list[int]] = {}
    for prefix in ("/api/", "/ajax-api/"):
        assert anonymous_status(method, prefix + path, filled(door.send, world.ids)) == 401
        for name in NAMES:
            with undone():
                answer = persona(world.people, name).request(method, prefix + path, filled(door.send, world.ids))
            met.setdefault(prefix, []).append(answer.status_code)
    assert {prefix: tuple(statuses) for prefix, statuses in met.items()} == dict.fromkeys(met, door.statuses)


@pytest.mark.parametrize("line", sorted(VIEW_DOORS))
def test_views(world: World, line: str) -> None:
    """The API with a token, pages with a session."""
    method, name = line.split(" ", 1)
    door = VIEW_DOORS[line]
    path, send = reverse(name, kwargs=filled(door.at, world.ids)), filled(door.send, world.ids)
    assert anonymous_status(method, path, send) == (401 if is_api_path(path) else 302)
    met = []
    for who in NAMES:
        caller = persona(world.people, who)
        with undone():
            if is_api_path(path):
                met.append(caller.request(method, path, send).status_code)
            else:
                browser = caller.browser()
                met.append((browser.get if method == "GET" else browser.post)(path, send).status_code)
    assert tuple(met) == door.statuses


def anonymous_status(method: str, path: str, send: Any) -> int:
    """The status without credentials; asserts that nothing was recorded."""
    events = Event.objects.count()
    client = Client()
    if method == "GET":
        answer = client.get(path, send)
    else:
        answer = client.generic(method, path, b"{}", content_type="application/json")
    assert Event.objects.count() == events
    if answer.status_code == 302:
        assert answer["Location"].startswith("/login/")
    return answer.status_code


def named(entries: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, URLPattern):
            yield space + (entry.name or "")
        elif entry.namespace != "admin":
            yield from named(entry.url_patterns, space + (f"{entry.namespace}:" if entry.namespace else ""))


def test_every_route_of_the_protocol_has_a_line() -> None:
    assert {f"{route.method} {route.path}" for route in PROTOCOL.routes} == set(PROTOCOL_DOORS)


def test_every_named_view_has_a_line() -> None:
    known = {line.split(" ", 1)[1] for line in VIEW_DOORS} | set(OPEN_OR_ELSEWHERE)
    assert set(named(get_resolver().url_patterns)) - known - {""} == set()


def test_django_admin_is_closed_to_everybody_else(world: World) -> None:
    met = [persona(world.people, name).browser().get("/admin/").status_code for name in NAMES]
    assert met == [403, 403, 403, 403, 200]
    assert Client().get("/admin/").status_code == 302
