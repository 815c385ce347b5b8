"""Three people in a real browser: what the script logged is seen by its team, and by nobody else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.browser import chromium, overflow, signed_in
from tests.e2e.clients import IRIS, client_python, run_script
from tests.servers import ADMIN_PASSWORD, Server

pytestmark = pytest.mark.browser
PASSWORD = "a good password for stories"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def tour(up: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of the run that the tour of the client logged, in the team `default`."""
    folder = tmp_path_factory.mktemp("tour")
    return run_script(client_python("3.17.2"), IRIS / "tour.py", up.client_env(), folder).splitlines()[-1]


@pytest.fixture(scope="module")
def stranger(up: Server) -> str:
    """Somebody in another team."""
    _api(up, "POST", "3.0/mlflow/workspaces", {"name": "elsewhere"})
    up.command("user", "create", "stranger", "--team", "elsewhere", "--password-stdin", stdin=f"{PASSWORD}\n")
    return "stranger"


def test_a_person_looks_at_the_run(browser: Any, up: Server, tour: str) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto("/experiments/")
        page.get_by_role("link", name="iris-tour").first.click()
        page.wait_for_url("**/experiments/*/")
        page.get_by_role("link", name="svm", exact=True).first.click()
        page.wait_for_url(f"**/runs/{tour}/")
        for text in ("A linear SVM.", "kernel", "linear", "test_accuracy", "Finished", "iris"):
            assert page.get_by_text(text).first.is_visible(), text
        page.goto(f"/runs/{tour}/metrics/")
        page.locator(".js-plotly-plot").first.wait_for(timeout=30_000)
        page.goto(f"/runs/{tour}/artifacts/")
        page.get_by_role("link", name="note.csv").click()
        page.locator("#file-view").get_by_text("a").first.wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").first.click()
        assert Path(download.value.path()).read_text() == "a,b\n1,2\n"
        page.goto(f"/runs/{tour}/activity/")
        assert page.get_by_text("out of the trash").first.is_visible(), page.inner_text("main")


def test_two_runs_side_by_side(browser: Any, up: Server, tour: str) -> None:
    experiment_id = _api(up, "GET", f"2.0/mlflow/runs/get?run_id={tour}")["run"]["info"]["experiment_id"]
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto(f"/experiments/{experiment_id}/?filter=" + "metrics.test_accuracy > 0 OR run_name = 'autologged'")
        boxes = page.locator("tbody input[type=checkbox]")
        boxes.nth(0).check()
        boxes.nth(1).check()
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**/compare/**")
        assert page.get_by_text("svm").first.is_visible()
        assert page.get_by_text("autologged").first.is_visible()
        assert page.get_by_text("kernel").first.is_visible()


def test_somebody_of_another_team_sees_none_of_it(browser: Any, up: Server, tour: str, stranger: str) -> None:
    with signed_in(browser, up, stranger, PASSWORD) as page:
        page.goto("/experiments/")
        assert page.get_by_text("iris-tour").count() == 0
        assert page.goto(f"/runs/{tour}/").status == 404
        assert page.goto(f"/compare/?runs={tour}").status in (200, 404)
        assert page.get_by_text("test_accuracy").count() == 0
        assert page.goto("/settings/users/").status in (403, 404)


def test_nobody_is_led_to_the_sign_in_and_back(browser: Any, up: Server, tour: str) -> None:
    profile = browser.new_context(base_url=up.url)
    page = profile.new_page()
    page.goto(f"/runs/{tour}/")
    assert "/login/" in page.url
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", "not the password")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").first.is_visible()
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/runs/{tour}/")
    profile.close()


def test_metrics_arrive_while_one_looks(browser: Any, up: Server) -> None:
    body = {"experiment_id": "0", "run_name": "live", "start_time": int(time.time() * 1000)}
    run_id = _api(up, "POST", "2.0/mlflow/runs/create", body)["run"]["info"]["run_id"]
    _log(up, run_id, 0)
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(f"/runs/{run_id}/")
        page.get_by_text("0.125").first.wait_for()
        threading.Timer(1.0, lambda: _log(up, run_id, 1)).start()
        page.get_by_text("1.125").first.wait_for(timeout=10_000)
        finished = {"run_id": run_id, "status": "FINISHED", "end_time": int(time.time() * 1000)}
        _api(up, "POST", "2.0/mlflow/runs/update", finished)
        page.get_by_text("Finished").first.wait_for(timeout=10_000)
        assert any(f"/ws/runs/{run_id}/" in url for url in sockets)


def test_a_chart_grows_while_one_looks(browser: Any, up: Server) -> None:
    body = {"experiment_id": "0", "run_name": "growing", "start_time": int(time.time() * 1000)}
    run_id = _api(up, "POST", "2.0/mlflow/runs/create", body)["run"]["info"]["run_id"]
    _log(up, run_id, 0)
    _log(up, run_id, 1)
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto(f"/runs/{run_id}/metrics/")
        points = page.locator(".js-plotly-plot .points path")
        points.nth(1).wait_for(state="attached")
        page.locator("#live[data-state=on]").wait_for()
        _log(up, run_id, 2)
        points.nth(2).wait_for(state="attached")
        _api(up, "POST", "2.0/mlflow/runs/update", {"run_id": run_id, "status": "FINISHED"})
        page.locator("#run-status", has_text="Finished").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_main_pages_fit_a_telephone(theme: str, browser: Any, up: Server, tour: str) -> None:
    small = {"viewport": {"width": 390, "height": 844}, "color_scheme": theme}
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, **small) as page:
        for path in ("/", "/experiments/", "/experiments/0/", f"/runs/{tour}/", f"/runs/{tour}/metrics/", "/audit/",
                     f"/runs/{tour}/artifacts/", "/settings/", "/settings/tokens/", "/settings/teams/"):  # fmt: skip
            assert page.goto(path).status == 200, path
            assert overflow(page) <= 0, path


def _log(server: Server, run_id: str, step: int) -> None:
    metric = {"run_id": run_id, "key": "loss", "value": step + 0.125, "timestamp": 1_700_000_000_000, "step": step}
    _api(server, "POST", "2.0/mlflow/runs/log-metric", metric)


def _api(server: Server, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body)
    response = requests.request(method, f"{server.url}/api/{path}", data=data, headers=headers, timeout=20)
    assert response.status_code in (200, 201), response.text
    return response.json()
