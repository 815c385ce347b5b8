"""Which revision and which instance answers a call, and how often somebody may call."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from apps.deployments.actions.common import move_epoch
from apps.deployments.gateway.balancing import Split
from apps.deployments.models import Revision, Route
from tests.deployments.gateway.asking import act, ask, gateway, run
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel, Heard
from tests.personas import People, token_for


def test_weights_are_exact_over_time() -> None:
    split = Split({1: 70, 2: 25, 3: 5, 4: 0})
    turns = [split.next({1, 2, 3, 4}) for _ in range(300)]
    assert Counter(turns) == {1: 210, 2: 75, 3: 15}
    assert Counter(turns[:20]) == {1: 14, 2: 5, 3: 1}
    assert max(len(run) for run in "".join(str(turn) for turn in turns).split("1")) <= 2


def test_those_that_cannot_answer_lose_their_turns_to_the_others() -> None:
    split = Split({1: 50, 2: 30, 3: 20})
    assert Counter(split.next({2, 3}) for _ in range(50)) == {2: 30, 3: 20}
    assert split.next(set()) is None
    assert split.next({9}) is None


def test_a_key_stays_where_it_is() -> None:
    keys = [f"customer-{number}".encode() for number in range(2000)]
    before, after = Split({1: 90, 2: 10}), Split({1: 75, 2: 25})
    placed = {key: before.of_key(key, {1, 2}) for key in keys}
    moved = {key: after.of_key(key, {1, 2}) for key in keys}
    assert placed == {key: Split({1: 90, 2: 10}).of_key(key, {1, 2}) for key in keys}
    assert 140 < Counter(placed.values())[2] < 260
    assert 420 < Counter(moved.values())[2] < 580
    assert not [key for key in keys if placed[key] == 2 and moved[key] == 1]


@pytest.fixture
def canary(people: People, sockets: Path) -> Path:
    """The deployment `iris` with revision 1 at 75 % and 2 at 25 %; 3 runs and gets nothing."""
    deployment = make_deployment(people.forge)
    for number, weight in ((1, 75), (2, 25), (3, 0)):
        make_instance(make_revision(deployment, weight, number), f"unix:{sockets}/{number}")
    return sockets


async def _all(stack: AsyncExitStack, folder: Path, *names: object) -> list[FakeModel]:
    return [await stack.enter_async_context(FakeModel(PREDICTS, folder / str(name))) for name in names]


def test_traffic_is_split_and_moves_with_the_routes(people: People, canary: Path) -> None:
    def promote() -> None:
        Route.objects.all().delete()
        second = Revision.objects.get(number=2)
        Route.objects.create(deployment=second.deployment, revision=second, weight=100)
        move_epoch()

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            models = await _all(stack, canary, 1, 2, 3)
            app = await stack.enter_async_context(gateway())
            for _ in range(40):
                assert (await ask(app, people.vera.token)).status == 200
            assert [len(model.heard) for model in models] == [30, 10, 0]
            await act(promote)
            await app.watch.refresh()
            for _ in range(10):
                assert (await ask(app, people.vera.token)).headers["x-slipway-revision"] == "2"

    run(scenario())


def test_a_header_names_the_revision(people: People, canary: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            models = await _all(stack, canary, 1, 2, 3)
            app = await stack.enter_async_context(gateway())
            for _ in range(4):
                met = await ask(app, people.vera.token, x_slipway_revision="3")
                assert (met.status, met.headers["x-slipway-revision"]) == (200, "3")
            assert len(models[2].heard) == 4
            assert (await ask(app, people.vera.token, x_slipway_revision="9")).status == 404
            for odd in ("x", "-1", "1,2", "9" * 12):
                assert (await ask(app, people.vera.token, x_slipway_revision=odd)).status == 400
            models[2].stop()
            met = await ask(app, people.vera.token, x_slipway_revision="3")
            assert met.status == 503
            assert "Leave the header X-Slipway-Revision out" in met.json()["message"]

    run(scenario())


def test_a_key_keeps_its_caller_at_one_revision(people: People, sockets: Path) -> None:
    deployment = make_deployment(people.forge)
    for number in (1, 2):
        make_instance(make_revision(deployment, 50, number, sticky_header="X-Customer"), f"unix:{sockets}/{number}")

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            await _all(stack, sockets, 1, 2)
            app = await stack.enter_async_context(gateway())
            seen = {}
            for customer in ("ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"):
                met = [await ask(app, people.vera.token, x_customer=customer) for _ in range(3)]
                seen[customer] = {each.headers["x-slipway-revision"] for each in met}
            assert all(len(revisions) == 1 for revisions in seen.values())
            assert set.union(*seen.values()) == {"1", "2"}
            free = [(await ask(app, people.vera.token)).headers["x-slipway-revision"] for _ in range(4)]
            assert Counter(free) == {"1": 2, "2": 2}

    run(scenario())


@pytest.mark.parametrize(("weight", "is_bounded"), [(75, False), (50, False), (25, True)])
def test_what_counts_before_a_revision_is_chosen_is_of_the_largest_share(
    people: People, sockets: Path, weight: int, is_bounded: bool
) -> None:
    """So a canary's bound comes with its traffic, and goes with a rollback."""
    deployment = make_deployment(people.forge, config={"calls_per_minute": 9})
    make_instance(make_revision(deployment, weight, 1), f"unix:{sockets}/one")
    make_instance(make_revision(deployment, 100 - weight, 2, calls_per_minute=1), f"unix:{sockets}/one")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            met = [(await ask(app, people.vera.token)).status for _ in range(2)]
            assert met == [200, 429 if is_bounded else 200]

    run(scenario())


def test_the_one_with_the_least_in_hand_is_asked(people: People, sockets: Path) -> None:
    revision = make_revision(make_deployment(people.forge))
    make_instance(revision, f"unix:{sockets}/slow")
    make_instance(revision, f"unix:{sockets}/quick")
    goes_on = asyncio.Event()

    async def slow(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await PREDICTS(heard, writer)

    async def scenario() -> None:
        async with (
            FakeModel(slow, sockets / "slow") as stuck,
            FakeModel(PREDICTS, sockets / "quick") as quick,
            gateway() as app,
        ):
            first = asyncio.create_task(ask(app, people.vera.token))
            while not stuck.heard:
                await asyncio.sleep(0)
            for _ in range(5):
                assert (await ask(app, people.vera.token)).status == 200
            assert (len(stuck.heard), len(quick.heard)) == (1, 5)
            goes_on.set()
            assert (await first).status == 200

    run(scenario())


def test_each_token_has_so_many_calls_a_minute(people: People, sockets: Path) -> None:
    make_instance(make_revision(make_deployment(people.forge), calls_per_minute=3), f"unix:{sockets}/one")
    other = token_for(people.vera.user)

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one") as model, gateway() as app, gateway() as another:
            for each in (app, another, app):
                assert (await ask(each, people.vera.token)).status == 200
            met = await ask(another, people.vera.token)
            assert (met.status, met.json()["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
            assert int(met.headers["retry-after"]) > 0
            assert (await ask(app, other)).status == 200
            assert len(model.heard) == 4

    run(scenario())
