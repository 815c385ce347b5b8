"""Every route that could change what production is, and what stops it. A route that is missing here fails the test.

Version 1 of `iris` is in Production and holds the aliases `champion` and `production`; policies of the site govern all
three, with two approvals by maintainers, nobody past them. Ada made it all and asked that version 2 enter; Bot, a
service account, is a maintainer, and asked for version 3; Max, a maintainer, asked for version 4. Each of them tries
each way; production stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.registry import actions
from apps.registry.models import Alias, ModelVersion, Policy, RegisteredModel
from apps.registry.stages import Slot
from slipway.urls import PROTOCOL
from tests.doors import filled
from tests.personas import People, Persona, make_people, token_for
from tests.registry.promotion.making import PRODUCTION, make_model, set_policy
from tests.registry.ways import HARMLESS, NAMES, OF_THE_SITE, PLAIN_PAGES, PROTOCOL_WAYS, VIEW_WAYS, Way
from tests.test_doors import named, undone

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class World:
    people: dict[str, Persona]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once; what a test does is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _world(make_people())
        transaction.set_rollback(True)


def _world(people: People) -> World:
    bot = accounts.create_user(
        system_actor(), username="bot", password=None, is_service=True, team=people.forge, role=Role.MAINTAINER
    )
    who = {"ada": people.ada, "max": people.max, "bot": Persona(bot, token_for(bot))}
    experiment = people.ada.call("POST", "experiments/create", {"name": "flowers"})["experiment_id"]
    run = people.ada.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    model = make_model(people.ada, "iris")
    source = f"runs:/{run}/model"
    before = actions.create_version(people.ada.actor, model=model, source=source)
    rest = [actions.create_version(people.ada.actor, model=model, source=source) for _ in range(4)]
    # So that `iris` version 1 is in production, and something was there before it.
    ModelVersion.objects.filter(pk=before.pk).update(number=9)
    for number, version in enumerate(rest, 1):
        ModelVersion.objects.filter(pk=version.pk).update(number=number)
        version.number = number
    before.number, first = 9, rest[0]
    for version in (before, first):
        actions.move_version(people.max.actor, version=version, stage="Production", archive_existing=True)
    for alias in ("champion", "production"):
        actions.set_alias(people.max.actor, model=model, alias=alias, version=first)
    ids = {"experiment": experiment, "run": run, "registered": str(model.pk)} | _governed(people)
    asked = {"request": (people.ada, rest[1]), "bots": (who["bot"], rest[2]), "own": (people.max, rest[3])}
    for name, (by, version) in asked.items():
        ids[name] = str(actions.ask(by.actor, version=version, slot=PRODUCTION).pk)
    return World(who, ids)


def _governed(people: People) -> dict[str, str]:
    strict: dict[str, Any] = {"approvals": 2, "rollback_by": "", "is_final": True}
    policy = set_policy(people, PRODUCTION, **strict)
    set_policy(people, Slot.alias("champion"), **strict)
    return {"policy": str(policy.pk)}


def production() -> Any:
    """All that says what production is."""
    return (
        list(ModelVersion.objects.filter(stage="Production").values_list("model__name", "number", "folder")),
        sorted(Alias.objects.filter(name__in=["champion", "production"]).values_list("name", "version__number")),
        sorted(Alias.objects.filter(name__iexact="production").values_list("name", "version__number")),
        list(RegisteredModel.objects.values_list("name", flat=True)),
        list(Policy.objects.order_by("pk").values_list("slot_name", "team", "model", "approvals", "override_by")),
    )


@pytest.mark.parametrize(("line", "way"), PROTOCOL_WAYS, ids=[line for line, _ in PROTOCOL_WAYS])
def test_by_the_protocol(world: World, line: str, way: Way) -> None:
    method, route = line.split(" ", 1)
    path = "/api/" + route.format(**filled(way.at, world.ids))
    before, met = production(), []
    for name in NAMES:
        with undone():
            met.append(world.people[name].request(method, path, filled(way.send, world.ids)).status_code)
            assert production() == before
    assert tuple(met) == way.statuses


@pytest.mark.parametrize(("line", "way"), VIEW_WAYS, ids=[line for line, _ in VIEW_WAYS])
def test_by_the_api_and_by_pages(world: World, line: str, way: Way) -> None:
    method, name = line.split(" ", 1)
    path, send = reverse(name, kwargs=filled(way.at, world.ids)), filled(way.send, world.ids)
    before, met = production(), []
    for who in NAMES[: len(way.statuses)]:
        with undone():
            caller = world.people[who]
            is_page = name.startswith("registry:")
            answer = caller.browser().post(path, send) if is_page else caller.request(method, path, send)
            met.append(answer.status_code)
            assert production() == before
    assert tuple(met) == way.statuses


def test_no_route_is_forgotten() -> None:
    ways = {line.split(" ", 1)[1] for line, _ in (*PROTOCOL_WAYS, *VIEW_WAYS)}
    routes = {route.path for route in PROTOCOL.routes if route.method != "GET"}
    views = set(named(get_resolver().url_patterns)) - {""}
    known = (*HARMLESS, *OF_THE_SITE)
    unknown = {one for one in (routes | views) - ways - PLAIN_PAGES if not one.startswith(known)}
    assert unknown == set()
