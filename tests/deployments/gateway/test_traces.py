"""Calls of models within a trace: the model can carry on what its caller began."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from apps.core import tracing
from slipway.tracing import traced_gateway
from tests.deployments.gateway.asking import ask, gateway, run
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel
from tests.personas import People

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Tracing is on in this process, as long as the test goes on."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.use(provider.get_tracer("tests"))
    try:
        yield kept
    finally:
        tracing.use(None)


def test_a_model_is_handed_the_trace_of_its_call(people: People, sockets: Path, spans: InMemorySpanExporter) -> None:
    make_instance(make_revision(make_deployment(people.forge)), f"unix:{sockets}/one")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one") as model, gateway() as app:
            traced = traced_gateway(app)
            given = f"00-{TRACE}-{CALLER}-01"
            assert (await ask(traced, people.ada.token, traceparent=given)).status == 200
            handed_on = model.heard[0].headers["traceparent"].split("-")
            assert handed_on[1] == TRACE and handed_on[2] != CALLER
            assert (await ask(traced, "", traceparent=given)).status == 401

    run(scenario())
    served, refused = [span for span in spans.get_finished_spans() if span.name == "POST /serve/{deployment}"]
    assert served.parent is not None and f"{served.parent.span_id:016x}" == CALLER
    assert served.attributes is not None and refused.attributes is not None
    assert (served.attributes["slipway.deployment"], refused.attributes["http.response.status_code"]) == ("iris", 401)


def test_a_page_is_one_span_with_its_statements(people: People, spans: InMemorySpanExporter) -> None:
    people.ada.browser().get("/experiments/")
    (span,) = [span for span in spans.get_finished_spans() if span.name == "GET experiments:experiments"]
    assert span.attributes is not None and span.attributes["http.response.status_code"] == 200
