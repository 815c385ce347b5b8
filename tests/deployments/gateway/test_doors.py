"""Default deny for the gateway, as `tests/test_doors.py` proves it for Django: everybody against every route."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.audit.models import Event
from apps.deployments.gateway.routes import ROUTES
from slipway import asgi
from tests.deployments.gateway.asking import act, ask, gateway, run
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel
from tests.doors.gateway import GATEWAY_DOORS
from tests.personas import People
from tests.run_tokens import run_token
from tests.test_url_map import VIEWS

NAMES = ("cleo", "vera", "ben", "max", "root")
ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_every_route_has_a_line() -> None:
    assert {route.name for route in ROUTES} == set(GATEWAY_DOORS)


def test_the_gateway_has_all_of_its_prefix_and_nothing_else() -> None:
    """Django has no route below it, and the front sends nothing else to the gateway."""
    assert [path for path in VIEWS if path.startswith("serve/")] == []
    sent = {
        path: asgi.handler_of(path)
        for path in ("/serve/x/invocations", "/serve/", "/serve", "/served/x", "/", "/api/x")
    }
    assert [path for path, handler in sent.items() if handler is asgi.gateway] == ["/serve/x/invocations", "/serve/"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_routes(people: People, sockets: Path, route: object) -> None:
    name, methods = route.name, route.methods  # type: ignore[attr-defined]
    rest, doors = GATEWAY_DOORS[name]
    path = f"/serve/iris/{rest}"
    make_instance(make_revision(make_deployment(people.forge)), f"unix:{sockets}/one")
    of_a_run = run_token(people.ada, people.forge, None).token

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one") as model, gateway() as app:
            for method in ALL_METHODS:
                assert (await ask(app, method=method, path=path)).status == 401
                assert (await ask(app, of_a_run, method=method, path=path)).status == 403
            assert not model.heard
            for method in methods:
                met = [(await ask(app, getattr(people, who).token, method=method, path=path)).status for who in NAMES]
                assert tuple(met) == doors
            for method in set(ALL_METHODS) - set(methods):
                assert (await ask(app, people.root.token, method=method, path=path)).status == 405

    events = Event.objects.count()
    run(scenario())
    assert Event.objects.count() == events


def test_metrics_tell_of_the_last_minute(people: People, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from apps.core.monitoring import exposition

    make_instance(make_revision(make_deployment(people.forge)), f"unix:{sockets}/one")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            assert (await ask(app, people.ada.token)).status == 200
        now = time.time()
        monkeypatch.setattr("apps.deployments.gauges.time.time", lambda: now + 65)
        said = (await act(exposition)).decode()
        assert 'slipway_serving_calls_per_minute{deployment="iris",outcome="ok",revision="1"} 1.0' in said
        assert 'slipway_serving_instances{deployment="iris",revision="1",state="ready"} 1.0' in said
        assert 'slipway_serving_latency_seconds{deployment="iris",q="0.5",revision="1"}' in said

    run(scenario())
