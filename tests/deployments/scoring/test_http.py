"""What comes over the wire, well-formed or not."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployments.scoring.serving import Served, post, read_answer, read_whole, serving

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring-http")]

ROW = {"data": [[5.1, 3.5, 1.4, 0.2]]}
LIMIT = 20_000_000
# Before its body comes into it, a caller has to be let in.
LET_IN = b"POST /invocations HTTP/1.1\r\nX-Slipway-Instance-Secret: s3cret\r\n"


@pytest.fixture(scope="module")
def served(folder_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    where = tmp_path_factory.mktemp("http")
    with serving(folder_of("svc"), where, max_body_bytes=LIMIT, secret="s3cret") as served:
        served.wait_ready()
        yield served


@pytest.fixture(autouse=True)
def _lives(served: Served) -> Iterator[None]:
    """Whatever a test sends: the same worker answers afterwards."""
    workers = served.workers()
    yield
    assert good(served) == (200, {"predictions": [0]})
    assert served.workers() == workers


def good(served: Served, body: Any = ROW, path: str = "/invocations") -> tuple[int, Any]:
    return served.ask(body, path, X_Slipway_Instance_Secret="s3cret")


def exchange(served: Served, data: bytes) -> tuple[int, Any]:
    with served.connect() as connection:
        connection.sendall(data)
        return read_answer(connection)


def request(body: Any, **headers: str) -> bytes:
    return post(body, X_Slipway_Instance_Secret="s3cret", **headers)


def test_open_addresses(served: Served) -> None:
    import mlflow

    assert served.get("/ping") == served.get("/health") == (200, "\n")
    assert served.get("/version") == (200, mlflow.__version__)
    assert served.get("/health?x=1")[0] == 200
    status, text = served.get("/metrics")
    assert status == 200
    assert '# TYPE slipway_scoring_requests_total counter\nslipway_scoring_requests_total{model="m"' in text


def test_metrics_count(served: Served) -> None:
    def counted(status: str) -> float:
        lines = served.get("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if "requests_total{" in line and f'"{status}"' in line)

    well, ill = counted("2xx"), counted("4xx")
    good(served)
    good(served, {"rows": 1})
    assert (counted("2xx"), counted("4xx")) == (well + 1, ill + 1)


def test_the_secret(served: Served) -> None:
    assert served.ask(ROW)[0] == 401
    assert served.ask(ROW, X_Slipway_Instance_Secret="other")[0] == 401
    status, said = served.ask({}, "/v2/models/m/infer")
    assert (status, list(said)) == (401, ["error"])


@pytest.mark.parametrize("path", ["/invocations", "/v2/models/m/infer", "/nothing"])
def test_nobodys_body_is_taken(served: Served, path: str) -> None:
    """Who is not let in is told so by the head: bodies of strangers would fill the memory."""
    with served.connect() as connection:
        connection.settimeout(5)
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT}\r\n\r\n".encode())
        status, said = read_answer(connection)
    assert status == 401
    assert set(said) == ({"error"} if "v2" in path else {"error_code", "message"})


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /invocations", 405),
        ("DELETE /invocations", 405),
        ("POST /health", 405),
        ("GET /nothing", 404),
        ("GET /v2/nothing", 404),
        ("PUT /v2", 405),
    ],
)
def test_wrong_verbs_and_addresses(served: Served, line: str, status: int) -> None:
    got, said = exchange(served, f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert got == status
    assert "error" in said or set(said) == {"error_code", "message"}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100, 400),
        (b"GET\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (LET_IN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
        (LET_IN + b"Host: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (LET_IN + b"Host: x\r\nContent-Length: 9" + b"9" * 18 + b"\r\n\r\n", 413),
    ],
)
def test_what_is_no_request(served: Served, data: bytes, status: int) -> None:
    got, said = exchange(served, data)
    assert got == status
    assert "message" in said


@pytest.mark.parametrize(
    "begins",
    [
        b"GET /health HTTP/1.1\r\nx: ",
        LET_IN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: ",
    ],
)
def test_a_header_that_does_not_end_is_not_waited_for(served: Served, begins: bytes) -> None:
    """The parser copies what it has of it with each read, so it would hold up all others."""
    with served.connect() as connection:
        connection.settimeout(1)
        connection.sendall(begins)
        try:
            for _ in range(200):
                connection.sendall(b"a" * 5_000)
        except OSError:
            pass
        assert read_answer(connection)[0] == 431


def test_very_many_headers_are_too_long_a_head(served: Served) -> None:
    assert exchange(served, b"GET /health HTTP/1.1\r\n" + b"a:\r\n" * 20_000 + b"\r\n")[0] == 431


def test_a_body_that_grows_too_large(served: Served) -> None:
    head = LET_IN + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (1_000_000, b" " * 1_000_000)
    with served.connect() as connection:
        connection.sendall(head)
        for _ in range(LIMIT // 1_000_000 + 1):
            connection.sendall(chunk)
        assert read_answer(connection)[0] == 413
        assert connection.recv(1) == b""


def test_a_large_body_is_refused_while_it_is_sent(served: Served) -> None:
    """A caller who sends all before it looks gets the answer too."""
    status, said = exchange(served, request(b" " * (LIMIT + 1)))
    assert status == 413
    assert str(LIMIT) in said["message"]


def test_requests_one_after_the_other_on_one_connection(served: Served) -> None:
    with served.connect() as connection:
        bodies = [{"data": [[5.1, 3.5, 1.4, 0.2]] * n} for n in range(1, 30)]
        connection.sendall(b"".join(request(body) for body in bodies))
        file = connection.makefile("rb")
        for body in bodies:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += file.readline()
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert json.loads(file.read(length)) == {"predictions": [0] * len(body["data"])}


def test_bytes_one_by_one(served: Served) -> None:
    with served.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(ROW):
            connection.send(bytes([byte]))
        assert read_answer(connection) == (200, {"predictions": [0]})


def test_a_caller_that_asks_before_it_sends(served: Served) -> None:
    head, _, body = request(ROW, Expect="100-continue").partition(b"\r\n\r\n")
    with served.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_answer(connection)[0] == 200


def test_head_and_close_and_old(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        data = b"".join(iter(lambda: connection.recv(1000), b""))
        assert data.startswith(b"HTTP/1.1 200")
        assert data.endswith(b"\r\n\r\n")
    with served.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        status, headers, _ = read_whole(connection)
        assert (status, headers["connection"]) == (200, "close")
        assert connection.recv(1) == b""


def test_callers_that_leave(served: Served) -> None:
    for data in (request(ROW), request(ROW)[:50], request(ROW)[:-3], b""):
        with served.connect() as connection:
            connection.sendall(data)


HOSTILE: dict[str, bytes] = {
    "broken": b'{"data": [[5.1,',
    "deep": b"[" * 200_000,
    "deep object": b'{"inputs":' * 50_000,
    "deep in a frame": b'{"dataframe_split": {"columns": ["a"], "data": ' + b"[" * 3_000 + b"]" * 3_000 + b"}}",
    "a number of many digits": b'{"inputs": [[' + b"9" * 10_000 + b", 1, 2, 3]]}",
    "surrogate": b'{"inputs": "\\ud800"}',
    "NUL": b'{"inputs": "\\u0000"}',
    "many keys": json.dumps({"dataframe_records": [{f"k{n}": n for n in range(5_000)}]}).encode(),
    "wrong types": json.dumps({"data": [[{}, [], "x", None]]}).encode(),
    "binary": bytes(range(256)) * 100,
    "zeros": b"\0" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies(served: Served, name: str) -> None:
    for path in ("/invocations", "/v2/models/m/infer"):
        status, said = good(served, HOSTILE[name], path)
        assert 400 <= status < 500, said
        assert "Traceback" not in json.dumps(said)
        assert len(json.dumps(said)) < 60_000


def test_a_million_rows(served: Served) -> None:
    rows = b"[5,3,1,0]," * 999_999 + b"[5,3,1,0]"
    status, said = good(served, b'{"data":[' + rows + b"]}")
    assert status == 200
    assert len(said["predictions"]) == 1_000_000
