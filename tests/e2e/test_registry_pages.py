"""The pages of the registry in a real browser, with names as long as they can be: they fit, are headed and labelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import chromium, overflow, signed_in
from tests.e2e.registry import administrator
from tests.e2e.test_pages import NAMELESS, SIZES
from tests.servers import ADMIN_PASSWORD, Server

LONG = "a-name-that-goes-on-" * 8
MODEL = f"/models/default/{LONG}/"
PAGES = (
    "/models/", MODEL, f"{MODEL}activity/", f"{MODEL}history/", f"{MODEL}history/?at=2200-01-01", f"{MODEL}policies/",
    f"{MODEL}versions/2/", f"{MODEL}versions/2/files/", f"{MODEL}versions/2/lineage/", f"{MODEL}versions/2/discussion/",
    f"{MODEL}versions/2/activity/", f"{MODEL}versions/2/ask/", f"{MODEL}versions/2/move/", f"{MODEL}roll-back/",
    f"{MODEL}aliases/set/", "/prompts/",
    "/approvals/", "/approvals/?tab=asked", "/approvals/?tab=decided", "/approvals/?tab=all", "/approvals/{request}/",
    "/settings/policies/", "/settings/policies/new/", "/settings/policies/{policy}/",
    "/settings/approvers/", "/settings/approvers/new/", "/settings/overrides/", "/settings/overrides/?all=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def seeded(up: Server) -> dict[str, Any]:
    """Two versions of a model: one went past the policy into Production, one is asked for."""
    admin = administrator(up)
    admin("POST", "2.0/mlflow/registered-models/create", {"name": LONG, "description": f"**{LONG}**\n\n{LONG}"})
    for _ in range(2):
        source = {"name": LONG, "source": "runs:/" + "0" * 32 + "/model", "description": LONG}
        admin("POST", "2.0/mlflow/model-versions/create", source)
    gates = [
        {"kind": "metric", "params": {"key": LONG, "operator": ">=", "value": 0.95}},
        {"kind": "tag", "params": {"key": LONG, "value": LONG, "where": "version"}},
    ]
    demands = {"team": "default", "name": LONG, "stage": "Production", "override_by": "site", "gates": gates}
    policy = admin("POST", "v1/policies/", demands, expect=201)
    admin("POST", "v1/policies/", {"team": "default", "name": LONG, "alias": LONG}, expect=201)
    admin("POST", "v1/approver-groups/", {"name": LONG[:100], "members": ["admin"]}, expect=201)
    moved = {"name": LONG, "version": "1", "stage": "Production", "archive_existing_versions": "false"}
    admin("POST", "2.0/mlflow/databricks/model-versions/transition-stage", moved | {"comment": LONG})
    asked = {"stage": "Production", "comment": f"{LONG} **{LONG}**"}
    request = admin("POST", f"v1/models/default/{LONG}/versions/2/requests/", asked, expect=201)
    return {"request": request["id"], "policy": policy["id"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.mark.parametrize("size", SIZES)
def test_pages_fit_and_speak(browser: Any, up: Server, seeded: dict[str, Any], size: str) -> None:
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


def test_deciding_by_keyboard(browser: Any, up: Server, seeded: dict[str, Any]) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, viewport=SIZES["desk"]) as page:
        page.goto("/approvals/?tab=all")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/approvals/{seeded['request']}/")
        # One's own: no approving, but rejecting.
        page.keyboard.press("a")
        assert page.evaluate("document.activeElement === document.body")
        page.keyboard.press("r")
        assert "Reject" in page.evaluate("document.activeElement.textContent")


def test_gates_come_and_go_and_what_was_typed_stays(browser: Any, up: Server, seeded: dict[str, Any]) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, viewport=SIZES["desk"]) as page:
        page.goto(f"/settings/policies/{seeded['policy']}/")
        page.fill("[name=approvals]", "7")
        page.get_by_role("button", name="Add a gate").click()
        page.locator(".gate-row").nth(2).wait_for()
        assert page.input_value("[name=approvals]") == "7"
        assert page.evaluate("document.activeElement.id") == "add-gate"
        page.get_by_role("button", name="Remove").nth(-1).click()
        page.locator(".gate-row").nth(2).wait_for(state="detached")
        assert page.evaluate("document.activeElement.id") == "add-kind"
        page.locator("#policy-summary[aria-live]").get_by_text("7 approvals by").wait_for()
        page.fill("[name=approvals]", "8")
        page.locator("[name=approvals]").blur()
        page.locator("#policy-summary[aria-live]").get_by_text("8 approvals by").wait_for()
