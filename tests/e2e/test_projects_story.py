"""A project in the browser, from the upload to the comparison of two of its runs; its code really runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import chromium, overflow, signed_in
from tests.e2e.registry import PASSWORD, administrator, newcomer
from tests.e2e.test_pages import NAMELESS, SIZES
from tests.projects.archives import zipped
from tests.servers import Server, slipway_up

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("projects-story")]

MLPROJECT = """\
name: countdown
entry_points:
  main:
    parameters:
      steps: {type: float, default: 5}
      rate: float
    command: "python train.py {steps} {rate}"
"""
# With the standard library alone, so that no environment is built.
TRAIN = """\
import json, os, sys, time, urllib.request

def call(route, body=None):
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/" + route,
        None if body is None else json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], **body}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

def may_go_on():
    tags = call("get?run_id=" + os.environ["MLFLOW_RUN_ID"])["run"]["data"]["tags"]
    return any(tag["key"] == "go" for tag in tags)

rate = float(sys.argv[2])
print("extra arguments:", sys.argv[3:], "mode:", os.environ.get("MODE"), flush=True)
for step in range(int(float(sys.argv[1]))):
    print(f"step {step} of the countdown", flush=True)
    call("log-metric", {"key": "loss", "value": rate / (step + 1), "step": step, "timestamp": int(time.time() * 1000)})
    while step == 3 and os.environ.get("MODE") == "held" and not may_go_on():
        time.sleep(0.2)
    time.sleep(0.05)
print("the end", flush=True)
"""
LONG = 100_000
PATIENCE = 90_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Server]]:
    with chromium() as browser, slipway_up(tmp_path_factory.mktemp("projects")) as server:
        newcomer(server, "tom")
        yield browser, server


def test_the_story(house: tuple[Any, Server], tmp_path: Path) -> None:
    """Each step is what the one before it left."""
    browser, server = house
    with signed_in(browser, server, "tom", PASSWORD) as page:
        page.set_default_timeout(PATIENCE)
        _upload(page, tmp_path)
        _start(page)
        first = page.url
        _watch_it_live(page, server)
        _cancel_a_long_one(page)
        _run_the_first_again(page, first)
        _compare(page)
    with signed_in(browser, server, "tom", PASSWORD) as page:
        _everything_fits(page, first.removeprefix(server.url))


def _upload(page: Any, tmp_path: Path) -> None:
    archive = tmp_path / "countdown.zip"
    archive.write_bytes(zipped({"MLproject": MLPROJECT, "train.py": TRAIN}).read())
    page.goto("/projects/")
    page.get_by_role("link", name="New project").click()
    page.get_by_role("link", name="Upload").click()
    page.get_by_label("Zip file").set_input_files(archive)
    page.get_by_role("button", name="Make the project").click()
    page.wait_for_url("**/projects/default/countdown/")
    assert "python train.py {steps} {rate}" in page.text_content("#entry-points")


def _start(page: Any) -> None:
    page.get_by_role("link", name="Start a run").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".parameter .field-errors")
    page.fill("input[name='param.rate']", "much")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".parameter .field-errors:has-text('wants a number')")
    page.fill("input[name='param.rate']", "0.5")
    page.fill("input[name='param.steps']", "30")
    page.fill("input[name='extra.name']", "depth")
    page.fill("input[name='extra.value']", "a b")
    page.wait_for_selector("#command code:has-text(\"python train.py 30 0.5 --depth 'a b'\")")
    page.fill("input[name='env_vars.name']", "MODE")
    page.fill("input[name='env_vars.value']", "held")
    page.fill("input[name='run_name']", "first")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/project-runs/\d+/$"))


def _watch_it_live(page: Any, server: Server) -> None:
    """Log, metrics and state come without a reload. It goes on when all of the beginning was seen."""
    page.evaluate("window.untouched = true")
    # A line comes in pieces.
    page.wait_for_selector("#log:has-text('mode: held')")
    assert "['--depth', 'a b'] mode: held" in page.text_content("#log")
    page.wait_for_selector("#run-pill:has-text('Running')")
    # Charts are drawn when somebody looks at them, and the log may have pushed it out of sight.
    page.locator("#board [data-key=loss]").scroll_into_view_if_needed()
    page.wait_for_selector("#board [data-key=loss] .js-plotly-plot .scatterlayer path")
    run_id = page.get_attribute("#run-facts a[href^='/runs/']", "href").split("/")[2]
    administrator(server)("POST", "2.0/mlflow/runs/set-tag", {"run_id": run_id, "key": "go", "value": "on"})
    page.wait_for_selector("#log:has-text('the end')")
    page.wait_for_selector("#run-pill:has-text('Finished')")
    page.wait_for_selector("#run-state:has-text('Exit code 0')")
    # A chart that the log has pushed out of sight is drawn on when somebody looks at it.
    page.locator("#board [data-key=loss]").scroll_into_view_if_needed()
    page.wait_for_selector("#board [data-key=loss] [data-min]:has-text('0.01666')")
    page.wait_for_selector("#run-actions >> text=Run again")
    assert page.locator("#run-actions >> text=Cancel").count() == 0
    assert page.evaluate("window.untouched") is True


def _cancel_a_long_one(page: Any) -> None:
    page.get_by_role("link", name="Run again").click()
    page.fill("input[name='param.steps']", str(LONG))
    page.fill("input[name='env_vars.value'] >> nth=0", "long")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#log:has-text('step 1 of the countdown')")
    page.locator("#run-actions >> text=Cancel").click()
    page.fill("#dialog input[name=reason]", "too long")
    page.locator("#dialog button:has-text('Cancel the run')").click()
    page.wait_for_selector("#run-pill:has-text('Cancelled')")
    page.wait_for_selector("#run-state:has-text('Cancelled by tom: too long')")


def _run_the_first_again(page: Any, first: str) -> None:
    page.goto(first)
    page.get_by_role("link", name="Run again").click()
    assert page.input_value("input[name='param.rate']") == "0.5"
    assert page.input_value("input[name='extra.value'] >> nth=0") == "a b"
    page.fill("input[name='env_vars.value'] >> nth=0", "fast")
    page.fill("input[name='param.steps']", "3")
    page.fill("input[name='param.rate']", "0.25")
    page.fill("input[name='run_name']", "second")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#run-pill:has-text('Finished')")


def _compare(page: Any) -> None:
    page.reload()
    changes = page.text_content(".run-changes")
    assert "params.rate" in changes and "params.steps" in changes
    page.get_by_role("link", name="Compare their metrics").click()
    page.wait_for_url("**/compare/?runs=*")
    assert "first" in page.text_content("main") and "second" in page.text_content("main")
    assert "loss" in page.text_content("main")
    page.get_by_role("link", name="second").first.click()
    page.wait_for_selector("#project-run a[href^='/project-runs/']")


PAGES = (
    "/projects/", "/projects/?q=none-of-it", "/projects/new/", "/projects/new/?from=archive",
    "/projects/default/countdown/", "/projects/default/countdown/runs/", "/projects/default/countdown/settings/",
    "/projects/default/countdown/activity/", "/projects/default/countdown/source/",
    "/projects/default/countdown/schedules/", "/projects/default/countdown/schedules/new/", "/settings/secrets/",
    "/queues/", "/workers/", "/projects/default/countdown/start/",
    "/projects/default/countdown/edit/", "/projects/default/countdown/delete/",
    "/project-runs/", "/project-runs/?state=lost", "{run}", "{run}activity/", "/",
)  # fmt: skip


def _everything_fits(page: Any, run: str) -> None:
    """On a desk and on a phone: nothing is too wide, nothing nameless, and no script complains."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    wrong = {}
    for size in SIZES.values():
        page.set_viewport_size(size)
        for address in PAGES:
            page.goto(address.format(run=run))
            found = [*page.evaluate(NAMELESS), *said, *([f"{overflow(page)} px too wide"] if overflow(page) else [])]
            said.clear()
            if found:
                wrong[f"{address} {size['width']}"] = found
    assert wrong == {}
