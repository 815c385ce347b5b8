"""Traces, as a collector gets them from real processes; and that nothing of it is there where it is off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from apps.core import tracing
from tests.servers import Server, postgres_database, postgres_is_there, running, slipway_server
from tests.slipway.test_cache import redis_is_there
from tests.waiting import until
from tests.watching.collector import Collector, Taken, collector

pytestmark = [
    pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES"),
    pytest.mark.skipif(not redis_is_there(), reason="Redis does not answer at SLIPWAY_TEST_REDIS"),
    pytest.mark.xdist_group("parts"),
]
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER = 2


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Collector]]:
    """A web server and a worker that are traced."""
    home = tmp_path_factory.mktemp("traced")
    slipway = str(Path(sys.executable).parent / "slipway")
    with ExitStack() as stack:
        kept = stack.enter_context(collector())
        database = stack.enter_context(postgres_database())
        given = {"OTEL_EXPORTER_OTLP_ENDPOINT": kept.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        given["SLIPWAY_OUTGOING_ALLOW"] = "127.0.0.1"
        server = stack.enter_context(slipway_server(home, database=database, **given))
        stack.enter_context(running([slipway, "worker"], server.env, home / "worker.log"))
        yield server, kept


def ask(server: Server, method: str, path: str, trace: str = TRACE, **more: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.token}", "traceparent": f"00-{trace}-{CALLER}-01"}
    return requests.request(method, server.url + path, headers=headers, timeout=30, **more)  # type: ignore[arg-type]


def of_trace(kept: Collector, trace: str, name: str) -> list[Taken]:
    return [span for span in kept.named(name) if span.trace == trace]


def test_a_call_goes_on_with_its_callers_trace(traced: tuple[Server, Collector]) -> None:
    server, kept = traced
    trace = "1" * 32
    answer = ask(server, "GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=hush-hush", trace)
    assert answer.status_code == 404
    until(lambda: of_trace(kept, trace, "GET get_experiment_by_name"))
    (span,) = of_trace(kept, trace, "GET get_experiment_by_name")
    assert (span.service, span.parent, span.kind, span.failed) == ("slipway-web", CALLER, SERVER, False)
    assert span.said["http.response.status_code"] == "404"
    assert span.said["slipway.request_id"] == answer.headers["X-Request-ID"]
    statements = [each for each in kept.spans if each.trace == trace and "db.query.text" in each.said]
    assert statements and all(each.said["db.system.name"] == "postgresql" for each in statements)
    assert any(each.parent == span.id for each in statements)
    # What was asked for is nowhere: neither in the call's address nor in the values of statements.
    assert "hush-hush" not in str([each for each in kept.spans if each.trace == trace])
    assert server.token not in str(kept.spans)


def test_a_task_goes_on_with_the_trace_of_what_asked_for_it(traced: tuple[Server, Collector]) -> None:
    server, kept = traced
    trace = "2" * 32
    project = {"name": "iris", "source_kind": "git", "source_uri": "https://127.0.0.1:1/none.git"}
    answer = ask(server, "POST", "/api/v1/projects/", trace, json=project)
    assert answer.status_code == 201, answer.text
    until(lambda: of_trace(kept, trace, "run/projects.read"))
    (task,) = of_trace(kept, trace, "run/projects.read")
    (sent,) = of_trace(kept, trace, "apply_async/projects.read")
    assert (task.service, sent.service) == ("slipway-worker", "slipway-web")
    assert task.parent == sent.id


def test_calls_of_models_are_traced(traced: tuple[Server, Collector]) -> None:
    server, kept = traced
    trace = "3" * 32
    assert ask(server, "POST", "/serve/none/invocations", trace, json={"inputs": [[1]]}).status_code == 404
    until(lambda: of_trace(kept, trace, "POST /serve/{deployment}"))
    (span,) = of_trace(kept, trace, "POST /serve/{deployment}")
    assert (span.parent, span.said["slipway.deployment"]) == (CALLER, "none")


def test_a_traceparent_that_is_none_begins_a_new_trace(traced: tuple[Server, Collector]) -> None:
    server, kept = traced
    headers = {"Authorization": f"Bearer {server.token}", "traceparent": "00-nonsense-01", "X-Request-ID": "a-new-one"}
    url = f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert requests.get(url, headers=headers, timeout=30).status_code == 200

    def mine() -> list[Taken]:
        return [each for each in kept.spans if each.said.get("slipway.request_id") == "a-new-one"]

    until(mine)
    assert mine()[0].parent == ""


def test_of_errors_their_class_goes_out_and_no_value(traced: tuple[Server, Collector]) -> None:
    server, kept = traced
    trace, name = "4" * 32, "hush-hush-twice"
    path, body = "/api/2.0/mlflow/experiments/create", {"name": name}
    assert [ask(server, "POST", path, trace, json=body).status_code for _ in range(2)] == [200, 400]
    until(lambda: len(of_trace(kept, trace, "POST create_experiment")) == 2)
    spans = [each for each in kept.spans if each.trace == trace]
    assert name not in str(spans) and "DETAIL" not in str(spans)
    assert {each.words for each in spans if each.failed} <= {"IntegrityError", "UniqueViolation"}


def test_nor_does_more_go_out_with_spans_of_libraries() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import StatusCode

    from slipway.exporting import Discreet

    taken, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Discreet(taken)))
    error = ValueError("DETAIL: Key (email)=(ada@example.org) already exists.")
    with provider.get_tracer("opentelemetry.instrumentation.celery").start_as_current_span("run/x") as span:
        span.record_exception(error)
        span.set_status(StatusCode.ERROR, str(error))
        span.set_attributes({"celery.retry.reason": str(error), "celery.origin": "https://u:hunter2@host/"})
    (span_out,) = taken.get_finished_spans()
    text = span_out.to_json()
    assert "example.org" not in text and "hunter2" not in text
    assert span_out.status.description == "ValueError" and "celery.origin" in text


def test_off_nothing_is_loaded_that_traces() -> None:
    """The client of Redis loads the interfaces itself where they are installed."""
    assert not tracing.is_on()
    assert (tracing.ids(), tracing.headers()) == ({}, [])
    loaded = "[name for name in sys.modules if name.startswith('opentelemetry.')]"
    script = f"import sys, django; django.setup(); import slipway.asgi; print(*{loaded})"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    beginnings = ("opentelemetry.exporter", "opentelemetry.instrumentation", "opentelemetry.sdk.trace.export")
    assert [name for name in said if name.startswith(beginnings)] == []
