"""Input that broke systems like this one, sent to a whole installation: a clear refusal, and it stays healthy."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from tests.servers import Server

MISSPELT = [
    "../" * 12 + "etc/passwd",
    "%2e%2e%2f" * 12 + "etc/passwd",
    "..%2f" * 12 + "etc/passwd",
    "%252e%252e%252f" * 12 + "etc/passwd",
    "%25252e%25252e%25252f" * 12 + "etc/passwd",
    "a/../../../../../../etc/passwd",
    "//etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "/proc/self/root/etc/passwd",
    "x%23/../../etc/passwd",
    "x%3f/../../etc/passwd",
    "x;/../../etc/passwd",
    "..;/etc/passwd",
    "....//etc/passwd",
    "..%5cetc%5cpasswd",
    "C:%5cx",
    "C:/x",
    "%c0%ae%c0%ae/etc/passwd",
    "%ef%bc%8e%ef%bc%8e/etc/passwd",
    "a%00b",
    "a%0d%0ab",
    ".",
    "..",
    "./",
    "%2e",
    "",
]


@pytest.fixture(scope="module")
def run_id(up: Server) -> str:
    """A run with one file."""
    body = {"experiment_id": "0", "run_name": "target", "start_time": 1}
    made: str = call(up, "POST", "/api/2.0/mlflow/runs/create", json.dumps(body)).json()["run"]["info"]["run_id"]
    store = f"/api/2.0/mlflow-artifacts/artifacts/0/{made}/artifacts/keep.txt"
    assert call(up, "PUT", store, b"kept").status_code == 200
    return made


def call(server: Server, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    """A call whose path goes out as it is written."""
    sent = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json", **headers}
    request = requests.Request(method, server.url, data=body, headers=sent).prepare()
    request.url = f"{server.url}{path}"
    return requests.Session().send(request, timeout=30)


def assert_refused(response: requests.Response, *statuses: int) -> None:
    """A 4xx as JSON, that gives nothing of the server away."""
    assert response.status_code in (statuses or range(400, 500)), (response.status_code, response.text[:300])
    assert {"error_code", "message"} <= set(response.json()), response.text[:300]
    for leaked in ("Traceback", "site-packages", 'File "', "root:x:", "/tmp/"):
        assert leaked not in response.text


@pytest.mark.parametrize("path", MISSPELT)
def test_paths_that_are_not_canonical_reach_no_file(path: str, up: Server, run_id: str) -> None:
    store = "/api/2.0/mlflow-artifacts"
    root = f"0/{run_id}/artifacts"
    query = path if "%" in path else quote(path, safe="")
    before = _files(up)
    for method, where in (
        ("GET", f"{store}/artifacts/{root}/{path}"),
        ("PUT", f"{store}/artifacts/{root}/{path}"),
        # A run's own folder may be emptied: clients send its address with a slash at the end.
        ("DELETE", f"{store}/artifacts/{root}/{path}" if path else f"{store}/artifacts/"),
        ("POST", f"{store}/mpu/create/{root}/{path}"),
        ("PUT", f"/ajax-api/2.0/mlflow-artifacts/artifacts/{root}/{path}"),
        ("DELETE", f"{store}/artifacts/{path}"),
    ):
        response = call(up, method, where, b"{}")
        assert response.status_code in range(400, 500), (method, where, response.status_code, response.text[:200])
        assert "root:x:" not in response.text
    if query:
        for where in (
            f"/api/2.0/mlflow/artifacts/list?run_id={run_id}&path={query}",
            f"/get-artifact?run_id={run_id}&path={query}",
            f"{store}/artifacts?path={quote(root)}/{query}",
        ):
            response = call(up, "GET", where)
            assert "root:x:" not in response.text
            assert response.status_code in range(400, 500) or response.json().get("files", []) == [], where
    assert _files(up) == before


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc", "/etc", "FILE:///etc", "sqlite:///x", "javascript:alert(1)", "data:,x", "ftp://x/y",
        "http://127.0.0.1:1/", "http://169.254.169.254/latest", "s3://b/a?x", "s3://b/a#x", "s3://b/../c",
        "s3://b/a;x", "s3://b/%2f", "mlflow-artifacts:/../x", "mlflow-artifacts:/", "x" * 2001,
        "http:///?/../../../etc", "dbfs:/x", "hdfs://x/y", "C:\\x",
    ],
)  # fmt: skip
def test_locations_that_the_operator_did_not_allow_are_refused(location: str, up: Server) -> None:
    body = json.dumps({"name": f"at {location[:40]}", "artifact_location": location})
    assert_refused(call(up, "POST", "/api/2.0/mlflow/experiments/create", body), 400)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer ", "Bearer null", "Bearer", "Basic", "Basic ====", "Basic " + "A" * 8000, "Bearer " + "x" * 8000,
        "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic /////w==", "Digest x", "Basic YWRtaW46",
        "Basic YWRtaW46YWRtaW4=", "Basic YWRtaW46cGFzc3dvcmQ=", "Basic YWRtaW46cGFzc3dvcmQxMjM0", "Basic AABhOmI=",
    ],
)  # fmt: skip
def test_credentials_that_are_not_are_401(header: str, up: Server) -> None:
    response = call(up, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", Authorization=header)
    assert_refused(response, 400, 401, 429)


def test_a_token_that_is_cut_or_changed_is_401(up: Server) -> None:
    for wrong in (up.token[:-4], up.token.swapcase(), up.token + "x", up.token.replace("slw_", "")):
        where = "/api/2.0/mlflow/experiments/get?experiment_id=0"
        assert_refused(call(up, "GET", where, Authorization=f"Bearer {wrong}"), 401)
    assert call(up, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status_code == 200


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize("route", ["runs/get?run_id=x", "experiments/search", "nothing/here", "../mlflow/runs/get"])
def test_nobody_is_401_everywhere_below_the_api(prefix: str, route: str, up: Server) -> None:
    for method in ("GET", "POST", "DELETE", "PATCH", "PUT"):
        response = requests.request(method, f"{up.url}{prefix}/2.0/mlflow/{route}", timeout=10)
        assert_refused(response, 401)


@pytest.mark.parametrize(
    "path", ["//api/2.0/mlflow/runs/get", "/static/../api/2.0/mlflow/runs/get", "/API/2.0/mlflow/runs/get",
             "/api/2.0/mlflow/runs/get;x", "/%61pi/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get/",
             "/graphql", "/v1/traces", "/metrics", "/api/3.0/jobs", "/api/v1/runs/", "/api/schema/", "/api/docs/"],
)  # fmt: skip
def test_no_other_spelling_gets_in_without_credentials(path: str, up: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(up.url).netloc, timeout=10)
    for method in ("GET", "POST"):
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        assert response.status in (301, 302, 400, 401, 403, 404, 405), (method, response.status)
        assert b'"run"' not in body


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b"1", b"NaN", b"{}{}", b"", b'{"a": "\xff"}', b"[" * 100_000,
     b'{"name":' * 100_000, b'{"name": ' + b"9" * 5000 + b"}", b'{"name": "a\\u0000b"}', b'{"name": "\\ud800"}',
     b'{"name": ["x"]}', b'{"name": {"a": 1}}', b'{"name": "a", "tags": [null]}', b'{"name": "a", "tags": [1]}',
     b'{"name": "a", "tags": "x"}', b'{"name": "' + b"x" * 100_000 + b'"}'],
)  # fmt: skip
def test_bodies_that_cannot_be_read_are_400(body: bytes, up: Server) -> None:
    assert_refused(call(up, "POST", "/api/2.0/mlflow/experiments/create", body), 400)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json<script>", ""]
)
def test_other_content_types_are_refused_and_not_echoed(kind: str, up: Server) -> None:
    body = json.dumps({"name": f"as {kind}"})
    response = call(up, "POST", "/api/2.0/mlflow/experiments/create", body, **{"Content-Type": kind})
    assert_refused(response, 400, 415)
    assert "<script>" not in response.text


def test_compressed_bodies_are_refused(up: Server) -> None:
    where = "/api/2.0/mlflow/experiments/create"
    bomb = gzip.compress(b" " * 30_000_000)
    assert_refused(call(up, "POST", where, bomb, **{"Content-Encoding": "gzip"}), 400, 413, 415)
    assert_refused(call(up, "POST", where, b"\x1f\x8bjunk", **{"Content-Encoding": "gzip"}), 400, 413, 415)


def test_sizes_beyond_reason_are_refused(up: Server) -> None:
    where = "/api/2.0/mlflow/experiments/create"
    assert call(up, "POST", where, b'{"name": "' + b"x" * 40_000_000 + b'"}').status_code == 413
    for path, headers in (
        ("/api/2.0/mlflow/experiments/get?experiment_id=" + "0" * 200_000, {}),
        ("/api/2.0/mlflow/experiments/get?experiment_id=0", {"X-Long": "y" * 200_000}),
    ):
        connection = http.client.HTTPConnection(urlsplit(up.url).netloc, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {up.token}", **headers})
            assert connection.getresponse().status in (400, 414, 431)
        except (ConnectionError, http.client.RemoteDisconnected):
            pass  # a server may also hang up
    many = "&".join(f"x{number}=1" for number in range(20_000))
    assert call(up, "GET", f"/api/2.0/mlflow/experiments/get?{many}").status_code in (400, 414)


@pytest.mark.parametrize("change", [{"step": 2**63}, {"timestamp": 10**30}, {"value": "abc"}, {"value": [1]}])
def test_numbers_that_do_not_fit_are_400(change: dict[str, Any], up: Server, run_id: str) -> None:
    body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 0, **change}
    assert_refused(call(up, "POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(body)), 400)


@pytest.mark.parametrize("results", [-1, 10**9, 2**63, "abc", [1]])
def test_max_results_out_of_bounds_is_400(results: Any, up: Server) -> None:
    for where in ("runs/search", "experiments/search"):
        body = json.dumps({"experiment_ids": ["0"], "max_results": results})
        assert_refused(call(up, "POST", f"/api/2.0/mlflow/{where}", body), 400)


@pytest.mark.parametrize("token", ["junk", "-1", "0", "' OR 1=1 --", "gASVCAAAAAAAAACMBHRlc3SULg==", "x" * 100_000])
def test_page_tokens_that_we_did_not_make_are_400(token: str, up: Server) -> None:
    for where in ("runs/search", "experiments/search"):
        body = json.dumps({"experiment_ids": ["0"], "max_results": 5, "page_token": token})
        assert_refused(call(up, "POST", f"/api/2.0/mlflow/{where}", body), 400)


@pytest.mark.parametrize(
    "filter_string",
    ["metrics.a > 1; DROP TABLE experiments_run", "params.a = '' OR 1=1 --", "params.a = 'x' UNION SELECT 1",
     "pg_sleep(9) = 1", "/* */ metrics.a > 1 --", "metrics.a > 'x", "(" * 5000, "attributes.__class__ = 'x'",
     "user__password = 'x'", "experiment__team__name = 'x'", "tags.`a` = 'b", "params.a = \"'"],
)  # fmt: skip
def test_filters_that_are_no_filters_are_400(filter_string: str, up: Server) -> None:
    body = json.dumps({"experiment_ids": ["0"], "filter": filter_string})
    assert_refused(call(up, "POST", "/api/2.0/mlflow/runs/search", body), 400)
    body = json.dumps({"experiment_ids": ["0"], "order_by": [filter_string]})
    assert_refused(call(up, "POST", "/api/2.0/mlflow/runs/search", body), 400)


@pytest.mark.parametrize(
    "filter_string",
    [
        "params.a LIKE '" + "%a" * 3000 + "'",
        " AND ".join(["metrics.a > 1"] * 5000),
        "params.a = '" + "x" * 200_000 + "'",
    ],
)
def test_filters_that_are_too_heavy_end_soon(filter_string: str, up: Server) -> None:
    body = json.dumps({"experiment_ids": ["0"], "filter": filter_string})
    response = call(up, "POST", "/api/2.0/mlflow/runs/search", body)
    assert response.status_code in (200, 400)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:5000", "a b", "127.0.0.1@evil"]
)
def test_other_hosts_are_refused(host: str, up: Server) -> None:
    for path in ("/login/", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/health"):
        response = call(up, "GET", path, Host=host)
        assert response.status_code == 400
    response = call(up, "GET", "/login/", **{"X-Forwarded-Host": "evil.example", "X-Original-URL": "/admin/"})
    assert response.status_code == 200
    assert "evil.example" not in response.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_pages_of_other_sites_get_nothing(origin: str, up: Server) -> None:
    where = "/api/2.0/mlflow/experiments/create"
    for method in ("OPTIONS", "GET", "POST"):
        response = call(up, method, where, b'{"name": "from elsewhere"}', Origin=origin)
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.status_code >= 400
    form = requests.post(f"{up.url}/login/", data={"login": "admin"}, headers={"Origin": origin}, timeout=10)
    assert form.status_code == 403


def test_pages_have_the_headers_that_keep_them_safe(up: Server) -> None:
    headers = requests.get(f"{up.url}/login/", timeout=10).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
    cookies = headers.get("Set-Cookie", "")
    assert "SameSite=Lax" in cookies


def test_unknown_methods_are_refused(up: Server) -> None:
    for method in (b"TRACE", b"NONSENSE"):
        with socket.create_connection((urlsplit(up.url).hostname, urlsplit(up.url).port), timeout=10) as plain:
            plain.sendall(method + b" /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = plain.recv(4096)
        assert answer.split(b" ")[1] in (b"400", b"405", b"501"), answer[:200]


@pytest.mark.parametrize("name", ["page.html", "image.svg", "page.xhtml", "data.xml", "code.js", "paper.pdf"])
def test_files_are_never_active_content_of_our_origin(name: str, up: Server, run_id: str) -> None:
    store = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/active/{name}"
    assert call(up, "PUT", store, b"<script>alert(1)</script>").status_code == 200
    for path in (store, f"/get-artifact?run_id={run_id}&path=active/{name}"):
        headers = call(up, "GET", path).headers
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_names_of_files_make_one_clean_header(up: Server, run_id: str) -> None:
    name = quote('odd "name" \u202egnp.txt')
    store = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{name}"
    assert call(up, "PUT", store, b"x").status_code == 200
    header = call(up, "GET", store).headers["Content-Disposition"]
    assert "\n" not in header
    assert header.startswith("attachment; filename")


def test_a_correct_token_is_never_refused_for_the_failures_of_others(up: Server) -> None:
    wrong = {"Authorization": "Bearer slw_" + "0" * 12 + "_" + "0" * 40}
    statuses = {
        requests.get(f"{up.url}/api/2.0/mlflow/runs/get", headers=wrong, timeout=10).status_code for _ in range(150)
    }
    assert statuses <= {401, 429}
    assert call(up, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status_code == 200


def test_after_all_of_it_the_server_is_well(up: Server, run_id: str) -> None:
    assert requests.get(f"{up.url}/health", timeout=10).text == "OK"
    kept = call(up, "GET", f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/keep.txt")
    assert kept.content == b"kept"


def _files(server: Server) -> list[str]:
    root = Path(server.env["SLIPWAY_HOME"]) / "artifacts"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))
