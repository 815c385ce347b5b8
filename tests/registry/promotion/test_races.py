"""Many decide, move and change policies at once. The database is the referee, so these are PostgreSQL's alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.audit.models import Event
from apps.core.actor import Role, system_actor
from apps.core.errors import AlreadyExists, DomainError, NotFound
from apps.notifications.models import Notification
from apps.registry import actions
from apps.registry.models import Alias, Decision, ModelVersion, Placement, PromotionRequest
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="an in-memory SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]
THREADS = 10


def maintainers(people: People, count: int) -> list[Persona]:
    made: list[User] = [
        accounts.create_user(
            system_actor(), username=f"m{number}", password=PASSWORD, team=people.forge, role=Role.MAINTAINER
        )
        for number in range(count)
    ]
    return [Persona(user, "") for user in made]


def at_once(calls: Sequence[Callable[[], Any]]) -> Counter[str]:
    """Make all calls in threads; how they ended: the state of what came back, or the name of the error."""

    def run(call: Callable[[], Any]) -> str:
        try:
            done = call()
            return str(getattr(done, "state", "done"))
        except DomainError as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(threads.map(run, calls))


def approving(who: Persona, request: PromotionRequest) -> Callable[[], Any]:
    fresh = PromotionRequest.objects.select_related("version__model__team", "requester").get(pk=request.pk)
    actor = who.actor
    return lambda: actions.approve_request(actor, request=fresh)


def test_of_twenty_approvals_exactly_the_needed_ones_count(people: People) -> None:
    set_policy(people, approvals=3)
    request = actions.ask(people.ada.actor, version=make_version(people.ada, make_model(people.ada)), slot=PRODUCTION)
    crowd = maintainers(people, 20)
    ended = at_once([approving(who, request) for who in crowd])
    assert ended == {"open": 2, "applied": 1, "Conflict": 17}
    assert Decision.objects.filter(request=request).count() == 3
    assert Placement.objects.filter(slot_name="Production").count() == 1
    counts = {
        code: Event.objects.filter(code=code).count() for code in ("promotion_request.approved", "model_version.moved")
    }
    assert counts == {"promotion_request.approved": 3, "model_version.moved": 1}
    assert not Notification.objects.open_in_group(f"promotion-request:{request.pk}").exists()


def test_one_person_with_many_hands_counts_once(people: People) -> None:
    set_policy(people, approvals=2)
    request = actions.ask(people.ada.actor, version=make_version(people.ada, make_model(people.ada)), slot=PRODUCTION)
    ended = at_once([approving(people.max, request) for _ in range(10)])
    assert ended == {"open": 1, "Conflict": 9}


def test_two_requests_for_one_stage_leave_one_version_there(people: People) -> None:
    set_policy(people)
    model = make_model(people.ada)
    versions = [make_version(people.ada, model) for _ in range(4)]
    requests = [actions.ask(people.ada.actor, version=version, slot=PRODUCTION) for version in versions]
    ended = at_once([approving(who, one) for one in requests for who in maintainers_once(people)])
    assert ended["applied"] == 4
    assert ModelVersion.objects.filter(stage="Production").count() == 1
    assert Placement.objects.current().filter(slot_name="Production").count() == 1
    assert Placement.objects.current().filter(slot_name="Archived").count() == 3


def maintainers_once(people: People) -> list[Persona]:
    """Max and one more, made at the first call."""
    mia = User.objects.filter(username="m0").first()
    return [people.max, Persona(mia, "")] if mia else [people.max, *maintainers(people, 1)]


def test_approving_and_rejecting_at_once_ends_it_once(people: People) -> None:
    set_policy(people)
    model = make_model(people.ada)
    crowd = maintainers(people, 4)
    for _ in range(5):
        request = actions.ask(people.ada.actor, version=make_version(people.ada, model), slot=PRODUCTION)
        yes = [approving(who, request) for who in crowd[:2]]
        no = [rejecting(who, request) for who in crowd[2:]]
        taken_back = [lambda request=request: actions.cancel_request(people.ada.actor, request=request)]
        ended = at_once(random.sample([*yes, *no, *taken_back], 5))
        assert sum(ended[state] for state in ("applied", "rejected", "cancelled")) == 1
        assert ended["Conflict"] == 4
        request.refresh_from_db()
        assert ended[request.state] == 1
        assert (stage_of(request.version) == "Production") == (request.state == "applied")


def rejecting(who: Persona, request: PromotionRequest) -> Callable[[], Any]:
    actor = who.actor
    return lambda: actions.reject_request(actor, request=request)


def test_a_policy_that_changes_meanwhile_never_lets_the_old_approvals_count(people: People) -> None:
    model = make_model(people.ada)
    crowd = maintainers(people, 6)
    for turn in range(4):
        set_policy(people, approvals=2, timeout_hours=turn + 1)
        request = actions.ask(people.ada.actor, version=make_version(people.ada, model), slot=PRODUCTION)
        actions.approve_request(crowd[0].actor, request=request)
        stricter = [lambda turn=turn: set_policy(people, approvals=3, timeout_hours=turn + 1)]
        at_once([*stricter, *[approving(who, request) for who in crowd[1:3]]])
        request.refresh_from_db()
        said = request.decisions.filter(round=request.round, approves=True).count()
        needed = request.rules["approvals"]
        assert (request.state == "applied") == (said >= needed), (request.round, request.state, said, needed)


def test_moving_asking_deciding_and_deleting_at_once_never_locks_up(people: People) -> None:
    model = make_model(people.ada)
    versions = [make_version(people.ada, model) for _ in range(4)]
    crowd = maintainers(people, 3)
    actors = [who.actor for who in crowd]
    champion = Slot.alias("champion")
    dice = random.Random(7)

    def step() -> Callable[[], Any]:
        actor, version = dice.choice(actors), dice.choice(versions)
        slot = dice.choice([PRODUCTION, champion])
        return dice.choice(
            [
                lambda: actions.move_version(actor, version=version, stage="Production", archive_existing=True),
                lambda: actions.move_version(actor, version=version, stage="Archived"),
                lambda: actions.set_alias(actor, model=model, alias="champion", version=version),
                lambda: actions.delete_alias(actor, model=model, alias="champion"),
                lambda: actions.ask(actor, version=version, slot=slot),
                lambda: decide_some(actor),
                lambda: actions.roll_back(actor, model=model, slot=slot, reason="x"),
                lambda: set_policy(people, champion, timeout_hours=dice.randint(1, 99), override_by="maintainer"),
                lambda: actions.create_version(actor, model=model, source=f"runs:/{'1' * 32}/m"),
            ]
        )

    ended = at_once([step() for _ in range(150)])
    assert set(ended) <= {
        *("done", "open", "applied", "Conflict", "InvalidInput", "AlreadyExists", "PermissionDenied", "NotFound"),
        "NoneType",
    }
    for version in versions:
        now = Placement.objects.current().filter(version=version, slot_kind="stage")
        stage = stage_of(version)
        assert [row.slot_name for row in now] == ([] if stage == "None" else [stage])
    held = list(Alias.objects.values_list("version_id", flat=True))
    assert list(Placement.objects.current().filter(slot_kind="alias").values_list("version_id", flat=True)) == held


def decide_some(actor: Any) -> Any:
    request = PromotionRequest.objects.open().select_related("version__model__team", "requester").first()
    return actions.approve_request(actor, request=request) if request else None


def test_sixteen_ask_for_the_same_and_each_person_once(people: People) -> None:
    version = make_version(people.ada, make_model(people.ada))
    ended = at_once([lambda: actions.ask(people.ada.actor, version=version, slot=PRODUCTION)] * 8)
    assert ended == {"open": 1, AlreadyExists.__name__: 7}
    ended = at_once([lambda: actions.delete_version(people.ada.actor, version=version)] * 4)
    assert ended == {"done": 1, NotFound.__name__: 3}
