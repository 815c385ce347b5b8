"""From a caller to a model and back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.deployments.gateway.asking import BODY, act, ask, gateway, run, scope_of, send
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel, Heard, says
from tests.personas import People

MEGABYTE = 1024 * 1024


@pytest.fixture
def served(people: People, sockets: Path) -> Path:
    """The socket of the model that the deployment `iris` has."""
    make_instance(make_revision(make_deployment(people.forge), max_body_mb=2, timeout_s=1), f"unix:{sockets}/one")
    return sockets / "one"


def test_a_call_comes_to_the_model_and_its_answer_back(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            met = await ask(app, people.ada.token, query=b"a=1", content_type="application/json", x_trace="7")
            assert (met.status, met.json()) == (200, {"predictions": [0]})
            assert met.headers["content-type"] == "application/json"
            assert met.headers["x-slipway-revision"] == "1"
            assert met.headers["x-slipway-version"] == "3"
            heard = model.heard[0]
            assert (heard.line, heard.body) == ("POST /invocations?a=1 HTTP/1.1", BODY)
            assert heard.headers["content-type"] == "application/json"
            assert heard.headers["x-trace"] == "7"
            assert "authorization" not in heard.headers

    run(scenario())


def test_connections_are_kept(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            for _ in range(5):
                assert (await ask(app, people.ada.token)).status == 200
            assert (model.connections, len(model.heard)) == (1, 5)

    run(scenario())


def test_a_port_of_an_instance_wants_its_secret(people: People) -> None:
    revision = make_revision(make_deployment(people.forge))

    async def scenario() -> None:
        async with FakeModel(PREDICTS) as model:
            await act(lambda: make_instance(revision, model.address, key="s3cret"))
            async with gateway() as app:
                met = await ask(app, people.ada.token, x_slipway_instance_secret="mine")
                assert met.status == 200
            assert model.heard[0].headers["x-slipway-instance-secret"] == "s3cret"

    run(scenario())


@pytest.mark.parametrize("given", ["an-id.of_mine-1", ""])
def test_calls_have_an_id(people: People, served: Path, given: str) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            headers: dict[str, Any] = {"x_request_id": given} if given else {}
            met = await ask(app, people.ada.token, **headers)
            assert len(met.headers["x-request-id"]) >= 8
            assert met.headers["x-request-id"] == model.heard[0].headers["x-request-id"]
            assert not given or met.headers["x-request-id"] == given
            odd = await ask(app, people.ada.token, x_request_id="<script>")
            assert len(odd.headers["x-request-id"]) == 32

    run(scenario())


def test_what_a_browser_could_act_on_does_not_come_through(people: People, served: Path) -> None:
    evil = says(
        b"<script>alert(1)</script>",
        kind="text/html",
        set_cookie="slipway_session=stolen",
        location="https://evil.example",
        access_control_allow_origin="*",
        x_slipway_revision="99",
        x_model="yes",
        content_security_policy="none",
    )

    async def scenario() -> None:
        async with FakeModel(evil, served), gateway() as app:
            met = await ask(app, people.ada.token)
            assert met.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
            assert met.headers["x-content-type-options"] == "nosniff"
            assert met.headers["x-slipway-revision"] == "1"
            assert met.headers["x-model"] == "yes"
            assert not {"set-cookie", "location", "access-control-allow-origin"} & set(met.headers)

    run(scenario())


def test_what_a_server_before_us_could_act_on_does_not_come_through(people: People, served: Path) -> None:
    """nginx, Apache and lighttpd would send a file or a page of their own in the place of the answer."""
    orders = ("x_accel_redirect", "x_accel_expires", "x_sendfile", "x_lighttpd_send_file", "x_reproxy_url")
    evil = says(b"{}", x_model="yes", cache_control="public, max-age=9999", **dict.fromkeys(orders, "/etc/passwd"))

    async def scenario() -> None:
        async with FakeModel(evil, served), gateway() as app:
            met = await ask(app, people.ada.token)
            assert met.headers["x-model"] == "yes"
            assert "/etc/passwd" not in met.headers.values()
            assert [value for name, value in met.messages[0]["headers"] if name == b"cache-control"] == [b"no-store"]

    run(scenario())


@pytest.mark.parametrize(
    "path", ["ping", "health", "version", "v2", "v2/health/live", "v2/models/iris/versions/1/ready"]
)
def test_the_rest_is_asked_by_get(people: People, served: Path, path: str) -> None:
    async def scenario() -> None:
        async with FakeModel(says(b"yes"), served) as model, gateway() as app:
            met = await ask(app, people.ada.token, method="GET", path=f"/serve/iris/{path}")
            assert (met.status, met.body) == (200, b"yes")
            assert model.heard[0].line == f"GET /{path} HTTP/1.1"
            head = await ask(app, people.ada.token, method="HEAD", path=f"/serve/iris/{path}")
            assert (head.status, head.body) == (200, b"")
            wrong = await ask(app, people.ada.token, path=f"/serve/iris/{path}")
            assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")

    run(scenario())


def test_names_are_found_whatever_their_case(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served), gateway() as app:
            assert (await ask(app, people.ada.token, path="/serve/IRIS/invocations")).status == 200

    run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "/serve/iris",
        "/serve/iris/",
        "/serve/iris/metrics",
        "/serve/iris/invocations/",
        "/serve/iris//invocations",
        "/serve/iris/../iris/invocations",
        "/serve/iris/v2/../invocations",
        "/serve/iris%2Finvocations",
        "/serve/iris/v2/models/..%2F..%2Fmetrics/ready",
        "/serve/iris/v2/models/../ready",
        "/serve/iris/v2/models/a%00b/ready",
        "/serve/iris/v2/repository/index",
        "/serve/iris/%69nvocations",
        "/serve/../api/2.0/mlflow/experiments/search",
        "/serve/iris\\invocations",
        "/serve/iris;x/invocations",
    ],
)
def test_no_other_path_reaches_a_model(people: People, served: Path, path: str) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            for method in ("POST", "GET", "DELETE"):
                met = await ask(app, people.ada.token, method=method, path=path)
                assert (met.status, next(iter(met.json()))) in ((404, "error_code"), (404, "error"))
            assert not model.heard

    run(scenario())


def test_a_wrong_verb_is_said_to_be_one(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
                met = await ask(app, people.ada.token, method=method)
                assert (met.status, met.headers["allow"]) == (405, "POST")
            assert not model.heard

    run(scenario())


def test_errors_of_the_inference_protocol_have_its_shape(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with gateway() as app:
            met = await ask(app, people.ada.token, path="/serve/iris/v2/models/iris/infer")
            assert (met.status, list(met.json())) == (503, ["error"])
            met = await ask(app, people.cleo.token, path="/serve/iris/v2/models/iris/infer")
            assert (met.status, met.json()) == (404, {"error": "No deployment 'iris'."})

    run(scenario())


def test_bodies_of_unknown_length_stream(people: People, served: Path) -> None:
    pieces = [bytes([number]) * 65536 for number in range(20)]

    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            assert (await ask(app, people.ada.token, body=pieces)).status == 200
            assert model.heard[0].body == b"".join(pieces)
            assert model.heard[0].headers["transfer-encoding"] == "chunked"
            assert (await ask(app, people.ada.token, body=[b"{", b"}"])).status == 200
            assert (model.heard[1].headers["content-length"], model.heard[1].body) == ("2", b"{}")

    run(scenario())


def test_bodies_of_a_known_length_stream(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            headers = [("host", "testserver"), ("authorization", f"Bearer {people.ada.token}")]
            headers.append(("content-length", str(MEGABYTE)))
            met = await send(app, scope_of(headers=headers), [b"x" * 65536] * 16)
            assert met.status == 200
            assert len(model.heard[0].body) == MEGABYTE
            assert model.heard[0].headers["content-length"] == str(MEGABYTE)

    run(scenario())


@pytest.mark.parametrize("is_told", [True, False])
def test_a_body_over_the_limit_is_refused(people: People, served: Path, is_told: bool) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            headers = [("host", "testserver"), ("authorization", f"Bearer {people.ada.token}")]
            headers.append(("content-length", str(3 * MEGABYTE)) if is_told else ("transfer-encoding", "chunked"))
            met = await send(app, scope_of(headers=headers), [b"x" * 65536] * 48)
            assert met.status == 413
            assert met.json() == {
                "error_code": "INVALID_PARAMETER_VALUE",
                "message": "The body is larger than 2 MB, the limit of this deployment.",
            }
            assert not model.heard
            assert (await ask(app, people.ada.token)).status == 200

    run(scenario())


def test_answers_stream(people: People, served: Path) -> None:
    goes_on = asyncio.Event()

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"5\r\nfirst\r\n")
        await goes_on.wait()
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")

    async def scenario() -> None:
        async with FakeModel(answer, served) as model, gateway() as app:
            seen: list[bytes] = []
            scope = scope_of(headers=[("host", "testserver"), ("authorization", f"Bearer {people.ada.token}")])

            async def receive() -> dict[str, object]:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def take(message: dict[str, object]) -> None:
                body = message.get("body")
                if isinstance(body, bytes) and body:
                    seen.append(body)
                    goes_on.set()  # only once the first is here does the model go on

            await app(scope, receive, take)
            assert seen == [b"first", b"last"]
            assert (await ask(app, people.ada.token)).status == 200
            assert model.connections == 1

    run(scenario())


def test_a_large_answer_does_not_pile_up(people: People, served: Path) -> None:
    size = 8 * MEGABYTE

    async def scenario() -> None:
        async with FakeModel(says(b"x" * size), served), gateway() as app:
            met = await ask(app, people.ada.token)
            assert (met.status, len(met.body), met.is_whole) == (200, size, True)
            assert len(met.messages) > 8
            assert met.headers["content-length"] == str(size)

    run(scenario())


@pytest.mark.parametrize("debug", [False, True])
def test_a_models_error_comes_without_its_trace(people: People, served: Path, debug: bool, settings: object) -> None:
    settings.DEBUG = debug  # type: ignore[attr-defined]
    said = b'{"error_code": "BAD_REQUEST", "message": "no", "stack_trace": "Traceback: /srv/model.py"}'

    async def scenario() -> None:
        async with FakeModel(says(said, "400 Bad Request"), served), gateway() as app:
            met = await ask(app, people.ada.token)
            assert (met.status, met.json()["message"]) == (400, "no")
            assert ("stack_trace" in met.json()) == debug
            assert int(met.headers["content-length"]) == len(met.body)

    run(scenario())


def test_a_client_that_leaves_takes_its_call_with_it(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            headers = [("host", "testserver"), ("authorization", f"Bearer {people.ada.token}")]
            headers.append(("content-length", str(MEGABYTE)))
            met = await send(app, scope_of(headers=headers), [b"x" * 300_000], then="http.disconnect")
            assert met.status == 400
            assert not model.heard
            assert (await ask(app, people.ada.token)).status == 200

    run(scenario())


@pytest.mark.parametrize(
    "headers",
    [
        [("content-length", "2"), ("transfer-encoding", "chunked")],
        [("content-length", "2"), ("content-length", "3")],
        [("content-length", "+2")],
        [("content-length", "2, 2")],
        [("content-length", "-1")],
        [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        [("transfer-encoding", "gzip, chunked")],
        [("transfer-encoding", "xchunked")],
        [("x-a", "b\r\nx-injected: 1")],
        [("x-a", "b\nGET /metrics HTTP/1.1")],
        [("x-a", "b\0c")],
        [("authorization", "Bearer other")],
        [("host", "testserver"), ("host", "evil.example")],
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    people: People, served: Path, headers: list[tuple[str, str]]
) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            all_of = [("host", "testserver"), ("authorization", f"Bearer {people.ada.token}"), *headers]
            met = await send(app, scope_of(headers=all_of), [b"{}"])
            assert met.status == 400
            assert met.json()["error_code"] == "BAD_REQUEST"
            assert not model.heard

    run(scenario())


def test_headers_of_one_connection_go_no_further(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            await ask(
                app,
                people.ada.token,
                connection="close, x-mine",
                x_mine="1",
                te="trailers",
                upgrade="h2c",
                proxy_authorization="Basic x",
                x_kept="1",
            )
            gone = {"connection", "x-mine", "te", "upgrade", "proxy-authorization"}
            assert not gone & set(model.heard[0].headers)
            assert model.heard[0].headers["x-kept"] == "1"

    run(scenario())


def test_what_is_far_too_long_is_refused(people: People, served: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, served) as model, gateway() as app:
            assert (await ask(app, people.ada.token, x_long="x" * 70_000)).status == 431
            assert (await ask(app, people.ada.token, query=b"x" * 20_000)).status == 414
            assert not model.heard

    run(scenario())
