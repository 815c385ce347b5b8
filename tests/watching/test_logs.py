"""What the log says, of what, and what it never says."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from apps.core.actor import Actor
from apps.core.context import RequestContext, current_context, entered
from apps.core.logs import FIELDS, Belonging, JsonFormatter, TextFormatter
from apps.core.proxies import name_caller
from apps.core.scrubbing import LONGEST, scrubbed
from apps.core.tasks import as_system, heartbeat
from tests.personas import People
from tests.servers import free_port, running, wait_until_healthy

SECRET = "slw_kLk7WpNR9Nki_AsREhqamQNUWv8P3X6E2lS0ULVriA1JS2eZthUos"
logger = logging.getLogger("apps.some")


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The records of the log while the test goes on, as JSON."""
    kept: list[dict[str, Any]] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(json.loads(self.format(record)))

    handler = Keeping()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Belonging())
    logging.getLogger().addHandler(handler)
    try:
        yield kept
    finally:
        logging.getLogger().removeHandler(handler)


def said(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["logger"] == name]


def test_an_answered_call_is_one_record(people: People, lines: list[dict[str, Any]], settings: Any) -> None:
    settings.ACCESS_LOG = True
    path = f"/api/2.0/mlflow/runs/get?run_id={'0' * 32}&token=s3cr3t"
    response = people.ada.request("GET", path, x_request_id="one-of-the-proxy")
    (line,) = said(lines, "slipway.access")
    assert response["X-Request-ID"] == line["request_id"] == "one-of-the-proxy"
    known = {"method": "GET", "route": "get_run", "kind": "protocol", "status": 404, "actor": "ada", "via": "token"}
    assert known.items() <= line.items()
    assert (line["team"], line["ip"], line["level"]) == (people.forge.pk, "127.0.0.1", "INFO")
    assert 0 < line["duration_ms"] < 60_000
    assert "s3cr3t" not in json.dumps(line) and people.ada.token not in json.dumps(line)


def test_who_is_nobody_has_no_name(people: People, lines: list[dict[str, Any]], settings: Any, client: Any) -> None:
    settings.ACCESS_LOG = True
    client.get("/api/2.0/mlflow/runs/get")
    client.get("/login/")
    api, page = said(lines, "slipway.access")
    assert (api["status"], api["actor"], api["team"]) == (401, None, None)
    assert (page["status"], page["route"], page["kind"]) == (200, "account_login", "page")


def test_calls_are_no_records_unless_asked_for(people: People, lines: list[dict[str, Any]]) -> None:
    people.ada.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert said(lines, "slipway.access") == []


def test_what_is_logged_in_a_request_has_its_id(
    people: People, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"lost {SECRET}")

    monkeypatch.setattr("apps.core.views.checks.run_checks", broken)
    caller = Client(raise_request_exception=False)
    response = caller.get("/health?password=s3cr3t", headers={"Authorization": f"Bearer {people.ada.token}"})
    assert response.status_code == 500
    (line,) = said(lines, "django.request")
    assert line["request_id"] == response["X-Request-ID"]
    assert "RuntimeError" in line["exception"]
    assert line["message"] == "Internal Server Error: health"
    assert SECRET not in json.dumps(lines) and "s3cr3t" not in json.dumps(lines)
    assert set(line) <= {"time", "level", "logger", "message", "exception", *FIELDS}


def test_a_task_and_a_run_are_named(lines: list[dict[str, Any]]) -> None:
    @as_system
    def work(actor: Actor) -> str:
        logger.warning("at work")
        return current_context().request_id

    task_id = work()
    with entered(RequestContext("a-request", project_run=7)):
        logger.warning("a run")
    logger.warning("nowhere")
    task, run, nowhere = said(lines, "apps.some")
    assert task["request_id"] == task_id
    assert (run["request_id"], run["project_run"]) == ("a-request", 7)
    assert "request_id" not in nowhere


def test_a_task_of_celery_is_named(lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        logger.warning("at it")

    monkeypatch.setattr(cache, "set", broken)
    heartbeat.apply(task_id="the-task")
    (line,) = said(lines, "apps.some")
    assert (line["task"], line["request_id"]) == ("core.heartbeat", "the-task")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"token {SECRET} is old", "token slw_kLk7WpNR9Nki_… is old"),
        ("Authorization: Bearer abcdefgh.ijkl-mnop", "Authorization: Bearer …"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic …"),
        ("postgresql://slipway:hunter2@db:5432/slipway", "postgresql://slipway:…@db:5432/slipway"),
        ("redis://:hunter2@valkey:6379/0", "redis://:…@valkey:6379/0"),
        ("GET https://s3/b?X-Amz-Signature=abc&x=1", "GET https://s3/b?X-Amz-Signature=…&x=1"),
        ("/hook?access_token=abc", "/hook?access_token=…"),
        ("head 12:0a0a, run key=loss, 3 tokens", "head 12:0a0a, run key=loss, 3 tokens"),
        ("SLIPWAY_SECRET_KEY=abc", "SLIPWAY_SECRET_KEY=…"),
        (f"{'a' * 60}_password=abc", f"{'a' * 60}_password=…"),
        ("git clone https://ghp_x@host/a.git", "git clone https://…@host/a.git"),
        ("https://ghp_x:x-oauth-basic@host/", "https://…@host/"),
        ("amqp://a:p@ss@host/ and ssh://git@host/a", "amqp://a:…@host/ and ssh://git@host/a"),
        ("http://host:80/?mail=a@b", "http://host:80/?mail=a@b"),
        ("Cookie: slipway_session=abc; b=c", "Cookie: …"),
        ("[(b'cookie', b'a=b; c=d'), (b'host', b'h')]", "[(b'cookie', b'…'), (b'host', b'h')]"),
        ("Set-Cookie: a=b\nHost: h", "Set-Cookie: …\nHost: h"),
        ("Authorization: Token abc", "Authorization: Token …"),
        ("{'Authorization': 'Token abc', 'Host': 'h'}", "{'Authorization': 'Token …', 'Host': 'h'}"),
        ("X-Api-Key: abc", "X-Api-Key: …"),
        ("{'password': 'x y', 'b': 1}", "{'password': '…', 'b': 1}"),
        ('{"token": "x\\"y", "b": 2}', '{"token": "…", "b": 2}'),
        (r'"{\"token\": \"x\", \"b\": 2}"', r'"{\"token\": \"…\", \"b\": 2}"'),
        ("'tokens': ['a', 'b'], 'c': 1", "'tokens': …], 'c': 1"),
        ("connect(password='x y', port=1)", "connect(password='…', port=1)"),
        ("sessionid=abc", "sessionid=…"),
        ("password: hunter2", "password: …"),
        ("Invalid token: expired", "Invalid token: expired"),
        ("if token == other", "if token == other"),
        ("half of \ud800", r"half of \ud800"),
    ],
)
def test_secrets_are_left_out(text: str, left: str) -> None:
    assert scrubbed(text) == left
    record = logging.LogRecord("some", logging.INFO, "", 0, "%s", (text,), None)
    assert TextFormatter("%(message)s").format(record) == left
    assert json.loads(JsonFormatter().format(record))["message"] == left


PIECES = (
    *("token", "token.", "-token ", "token='", "'token': '", r"\"token\": \\", "bearer ", "://", "://:", "http://a:"),
    *("authorization: ", "cookie'", "x-a-", "slw_", "password :", "'"),
)


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_texts_take_no_time(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor would they where nothing were cut."""
    monkeypatch.setattr("apps.core.scrubbing.LONGEST", 200_000)
    before = time.thread_time()
    for behind in ("", "a", "\\", "@"):
        scrubbed(piece * (100_000 // len(piece)))
        scrubbed(piece + behind * 100_000)
    assert time.thread_time() - before < 5


def test_of_a_long_text_beginning_and_end_stay() -> None:
    text = "begins " + "a word " * 10_000 + "password=hunter2\nand ends"
    left = scrubbed(text)
    assert left.startswith("begins a word") and left.endswith("characters left out)\nand ends")
    assert len(left) < LONGEST + 100
    assert "hunt" not in scrubbed("x" * (LONGEST - 30) + " amqp://user:hunter2hunter2@host" + "x" * LONGEST)


@pytest.mark.parametrize("formatter", [TextFormatter("%(message)s"), JsonFormatter()])
def test_what_can_not_be_written_is_not_written_raw(formatter: logging.Formatter) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    for message, argument in (("%d", SECRET), ("%s", Broken()), (Broken(), None), ("%s %s", SECRET)):
        record = logging.LogRecord("some", logging.INFO, "a.py", 7, message, (argument,), None)
        line = formatter.format(record)
        assert "a record of a:7 could not be written" in line and SECRET not in line
    record = logging.LogRecord("some", logging.INFO, "a.py", 7, "", (), None)
    record.actor, record.status = "half \ud800", object()
    assert "some" in JsonFormatter().format(record)


def test_what_other_libraries_hang_onto_a_record_stays_out() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    record = logging.LogRecord("some", logging.INFO, "", 0, "a line\nand another", (), None)
    record.request = f"GET /x?token={SECRET}"
    handler.emit(record)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "a line\nand another"
    assert set(json.loads(line)) == {"time", "level", "logger", "message"}


def test_the_guide_names_each_field() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "monitoring.md").read_text()
    part = guide[guide.index("## Logs") : guide.index("## Traces")]
    named = {name for row in part.splitlines() if row.startswith("| `") for name in row.split("|")[1].split("`")[1::2]}
    assert named == {"time", "level", "logger", "message", "exception", "stack", *FIELDS}


def test_only_our_proxies_give_ids() -> None:
    given = [(name, b"made-up-by-somebody") for name in (b"x-request-id", b"traceparent", b"tracestate", b"baggage")]
    headers = [*given, (b"x-forwarded-for", b"203.0.113.9")]
    for address, kept in {"172.31.254.2": True, "198.51.100.4": False}.items():
        scope: dict[str, Any] = {"client": (address, 1), "headers": list(headers)}
        name_caller(scope, [ip_network("172.31.254.0/28")])
        assert [pair in scope["headers"] for pair in given] == [kept] * 4


def test_a_server_writes_nothing_but_json(tmp_path: Path) -> None:
    slipway, port = str(Path(sys.executable).parent / "slipway"), free_port()
    kept = {name: value for name, value in os.environ.items() if name not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}}
    env = {**kept, "SLIPWAY_HOME": str(tmp_path), "SLIPWAY_LOG_FORMAT": "json", "SLIPWAY_ACCESS_LOG": "true"}
    env |= {"SLIPWAY_SECRET_KEY": settings.SECRET_KEY, "SLIPWAY_ADMIN_PASSWORD": "a long enough password"}
    with running([slipway, "up", "--port", str(port)], env, tmp_path / "up.log") as server:
        server.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(server)
        token = subprocess.run(
            [slipway, "token", "create", "admin"], env=env, capture_output=True, text=True, check=True
        ).stdout.strip()
        url = f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        assert answer.status_code == 200
        text = (tmp_path / "up.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("route") == "get_experiment"]
    assert (line["actor"], line["request_id"]) == ("admin", answer.headers["X-Request-ID"])
    assert token not in text
