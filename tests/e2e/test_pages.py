"""Every main page in a real browser, on a desk and on a phone: it fits, says no errors, is headed and labelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.browser import chromium, overflow, signed_in
from tests.servers import ADMIN_PASSWORD, Server

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
LONG = "a-name-that-goes-on-" * 8
# What has no name for a screen reader, headings that are not one, and ids that stand twice.
NAMELESS = """() => {
  const controls = document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary");
  const seen = [...controls].filter((one) => one.offsetParent);
  const named = (one) => one.labels?.length || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby")
    || one.title || one.textContent.trim() || one.querySelector("[aria-label], title");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [
    ...seen.filter((one) => !named(one)).map((one) => one.outerHTML.slice(0, 120)),
    ...ids.filter((id, place) => ids.indexOf(id) !== place),
    ...(document.querySelectorAll("main").length === 1 ? [] : ["not one main"]),
    ...(document.querySelectorAll("main h1").length === 1 ? [] : ["not one h1"]),
    ...(document.documentElement.lang ? [] : ["no language"]),
  ];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def seeded(up: Server) -> dict[str, str]:
    """An experiment with runs whose names and values are as long as they can be."""
    experiment = _call(up, "experiments/create", name=f"pages-{LONG}")["experiment_id"]
    runs = []
    for number in range(3):
        run = _call(up, "runs/create", experiment_id=experiment, run_name=f"{LONG}{number}", start_time=1)["run"]
        run_id = run["info"]["run_id"]
        metrics = [{"key": f"val/{LONG}", "value": step / 7, "step": step, "timestamp": step} for step in range(9)]
        params = [{"key": f"p{place}", "value": "x" * 60 * place} for place in range(9)]
        tags = [{"key": "note", "value": LONG}]
        _call(up, "runs/log-batch", run_id=run_id, metrics=metrics, params=params, tags=tags)
        runs.append(run_id)
    return {"experiment": experiment, "run": runs[0], "runs": ",".join(runs)}


PAGES = (
    "/", "/experiments/", "/experiments/?q=none-of-this-name", "/experiments/trash/", "/experiments/new/",
    "/experiments/{experiment}/", "/experiments/{experiment}/?q=metrics.acc+>>", "/experiments/{experiment}/models/",
    "/experiments/{experiment}/trash/", "/share/experiment/{experiment}/",
    "/runs/{run}/", "/runs/{run}/metrics/", "/runs/{run}/artifacts/", "/runs/{run}/datasets/", "/runs/{run}/activity/",
    "/compare/", "/compare/?runs={runs}",
    "/settings/", "/settings/tokens/", "/settings/tokens/new/", "/settings/teams/", "/settings/teams/default/",
    "/settings/users/", "/audit/",
    "/notifications/", "/notifications/?show=all", "/settings/notifications/", "/settings/webhooks/",
    "/settings/webhooks/new/",
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_pages_fit_and_speak(browser: Any, up: Server, seeded: dict[str, str], size: str) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, viewport=SIZES[size]) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        wrong = {}
        for address in PAGES:
            page.goto(address.format(**seeded))
            found = [*page.evaluate(NAMELESS), *said, *([f"{overflow(page)} px too wide"] if overflow(page) else [])]
            said.clear()
            if found:
                wrong[address] = found
    assert wrong == {}


def test_addresses_that_the_client_prints(browser: Any, up: Server, seeded: dict[str, str]) -> None:
    experiment, run = seeded["experiment"], seeded["run"]
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        for printed, ours in (
            (f"/#/experiments/{experiment}", f"/experiments/{experiment}/"),
            (f"/#/experiments/{experiment}/runs/{run}", f"/runs/{run}/"),
            (f"/#/experiments/{experiment}/runs/{run}?workspace=default", f"/runs/{run}/"),
            (f"/#/experiments/{experiment}/runs/{run}/artifacts/model", f"/runs/{run}/artifacts/"),
            ("/#/models", "/models/"),
            ("/#/models/any%20thing/versions/3", "/models/find/?name=any%20thing&version=3"),
        ):
            page.goto("about:blank")
            page.goto(printed)
            page.wait_for_url(f"{up.url}{ours}")


def test_printed_address_survives_the_sign_in(browser: Any, up: Server, seeded: dict[str, str]) -> None:
    page = browser.new_context(base_url=up.url).new_page()
    page.goto(f"/#/experiments/{seeded['experiment']}/runs/{seeded['run']}")
    for password in ("not the password", ADMIN_PASSWORD):
        page.fill("input[name=login]", "admin")
        page.fill("input[name=password]", password)
        page.click("main button[type=submit]")
    page.wait_for_url(f"{up.url}/runs/{seeded['run']}/")
    page.context.close()


def test_a_session_that_ended_leads_to_sign_in_and_back(browser: Any, up: Server) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        # What the page asks for by itself must be through, else that already leads to sign in.
        page.goto("/experiments/?q=pages", wait_until="networkidle")
        page.context.clear_cookies()
        page.click("text=New experiment")
        page.wait_for_url("**/login/?next=**")
        page.fill("input[name=login]", "admin")
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{up.url}/experiments/?q=pages")


def test_a_page_says_when_the_server_is_away_and_back(browser: Any, up: Server) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto("/experiments/")
        page.context.set_offline(True)
        page.click("text=New experiment")
        page.wait_for_selector("#server-away:visible")
        page.context.set_offline(False)
        page.wait_for_selector("#server-away", state="hidden")


def test_dialogs_by_keyboard(browser: Any, up: Server) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto("/experiments/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
        page.focus("text=New experiment")
        page.keyboard.press("Enter")
        page.wait_for_selector("#dialog[open] input:visible")
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('#dialog')"
            )
        page.keyboard.press("Escape")
        page.wait_for_selector("#dialog[open]", state="detached")
        assert "New experiment" in page.evaluate("document.activeElement.textContent")


def _call(server: Server, route: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = requests.post(f"{server.url}/api/2.0/mlflow/{route}", json=body, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()
