"""A deployment in the browser, from a version's page to the way back, while somebody calls it all the time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.browser import chromium, overflow, signed_in
from tests.e2e.registry import PASSWORD, administrator, newcomer
from tests.e2e.serving import DOUBLING, PATIENCE, register, write_model
from tests.e2e.test_pages import NAMELESS, SIZES
from tests.servers import Server, slipway_up

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("deployments-story")]

TABS = ["", "revisions/", "instances/", "logs/", "settings/", "activity/"]
PAGE = "/deployments/scaling/"
TRIPLING = {"code/doubling.py": DOUBLING["code/doubling.py"].replace("* 2", "* 3")}
BODY = {"dataframe_split": {"columns": ["x"], "data": [[0.5]]}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Server]]:
    with chromium() as browser, slipway_up(tmp_path_factory.mktemp("deployments")) as server:
        newcomer(server, "tom")
        yield browser, server


def test_the_story(house: tuple[Any, Server], tmp_path: Path) -> None:
    """Each step is what the one before it left."""
    browser, server = house
    register(server, "scaling", write_model(tmp_path / "double"))
    register(server, "scaling", write_model(tmp_path / "triple", **TRIPLING), is_first=False)
    with signed_in(browser, server, "tom", PASSWORD) as page:
        page.set_default_timeout(PATIENCE * 1000)
        _deploy(page)
        assert _sent(page) == '{"predictions":[1]}'
        with _calling(server) as answers:
            _promote_the_second(page, server)
            assert _sent(page) == '{"predictions":[1.5]}'
            _roll_back(page)
            assert _sent(page) == '{"predictions":[1]}'
            _promote_a_canary(page)
            assert _sent(page) == '{"predictions":[1.5]}'
        assert set(answers) == {"200 1.0", "200 1.5"}
        _what_happened(page)
        _everything_fits(page)
        _stop_and_delete(page)


def _deploy(page: Any) -> None:
    page.goto("/models/default/scaling/versions/1/")
    page.locator(".page-actions").get_by_role("link", name="Deploy").click()
    page.fill("#id_name", "No Name")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_selector(".field-bad #id_name")
    page.fill("#id_name", "scaling")
    page.get_by_label("Follow a stage").check()
    page.fill("#id_memory_mb", "1024")
    page.wait_for_selector("#checks :text('/serve/scaling/invocations')")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url(f"**{PAGE}")
    page.wait_for_selector("#now .way [aria-current=step]")
    _serves(page, 1)


def _serves(page: Any, version: int) -> None:
    """Wait, without loading the page anew, until all traffic goes to a version."""
    page.wait_for_selector(f"#deployment-facts a:text-is('scaling version {version}')")
    page.wait_for_selector("#deployment-pill:has-text('Ready')")


def _sent(page: Any) -> str:
    """What the form of the page is answered for a half."""
    page.locator("#body").fill('{"dataframe_split": {"columns": ["x"], "data": [[0.5]]}}')
    with page.expect_response("**/serve/scaling/invocations"):
        page.get_by_role("button", name="Send").click()
    page.wait_for_selector("[data-status]:text-is('200')")
    return str(page.text_content("#answer"))


def _promote_the_second(page: Any, server: Server) -> None:
    moved = {"name": "scaling", "version": "2", "stage": "Production"}
    administrator(server)("POST", "2.0/mlflow/model-versions/transition-stage", moved)
    proposal = page.get_by_role("region", name="Version 2 is proposed")
    proposal.get_by_role("button", name="Deploy", exact=True).click()
    _serves(page, 2)


def _roll_back(page: Any) -> None:
    page.get_by_role("link", name="Roll back").first.click()
    dialog = page.get_by_role("dialog", name="Roll back to revision 1?")
    dialog.get_by_label("Reason").fill("three is too much")
    dialog.get_by_role("button", name="Roll back").click()
    _serves(page, 1)


def _promote_a_canary(page: Any) -> None:
    """What asks is opened from a part of the page that comes anew by itself, and stays a dialog."""
    page.get_by_role("link", name="Deploy a version").click()
    dialog = page.get_by_role("dialog", name="Deploy another version")
    dialog.get_by_label("As a canary").check()
    dialog.get_by_role("button", name="Deploy").click()
    page.get_by_role("button", name="25 %").click()
    page.get_by_role("link", name="Promote").click()
    dialog = page.get_by_role("dialog", name="Give revision 3 all the traffic?")
    dialog.get_by_label("Reason").fill("three after all")
    assert dialog.get_by_role("row", name="p95").get_by_role("cell").count() == 2
    dialog.get_by_role("button", name="Promote").click()
    _serves(page, 2)


@contextmanager
def _calling(server: Server) -> Iterator[Counter[str]]:
    """Somebody calls it meanwhile, one call after the other; what was answered, with its status."""
    answers: Counter[str] = Counter()
    done = threading.Event()
    headers = {"Authorization": f"Bearer {server.token}"}

    def call() -> None:
        with requests.Session() as session:
            while not done.is_set():
                url = f"{server.url}/serve/scaling/invocations"
                answer = session.post(url, json=BODY, headers=headers, timeout=PATIENCE)
                said = answer.json().get("predictions", [answer.text])[0]
                answers[f"{answer.status_code} {said}"] += 1

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield answers
    finally:
        done.set()
        thread.join()


def _what_happened(page: Any) -> None:
    page.goto(f"{PAGE}revisions/")
    assert page.locator("tbody tr").count() == 3
    page.goto(f"{PAGE}activity/")
    page.wait_for_selector(":text('rolled scaling back')")
    page.goto(f"{PAGE}logs/")
    page.wait_for_selector("#instance-log .log-plain:not(:empty)")
    page.goto("/models/default/scaling/versions/2/")
    page.wait_for_selector("#deployed-in a:text-is('scaling')")


def _everything_fits(page: Any) -> None:
    wrong = {}
    for size in SIZES.values():
        page.set_viewport_size(size)
        for address in ("/deployments/", "/deployments/hosts/", *(PAGE + tab for tab in TABS)):
            page.goto(address)
            found = [*page.evaluate(NAMELESS), *([f"{overflow(page)} px too wide"] if overflow(page) else [])]
            if found:
                wrong[f"{address} {size['width']}"] = found
    assert wrong == {}


def _stop_and_delete(page: Any) -> None:
    """A member may stop it; what they made they may delete too."""
    page.set_viewport_size(SIZES["desk"])
    page.goto(f"{PAGE}settings/")
    page.locator(".settings-forms").get_by_role("link", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    page.wait_for_selector("#deployment-pill:has-text('Stopped')")
