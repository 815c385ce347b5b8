"""Three people bring a version into production and back, in browsers and with the real client, and by no other way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import chromium, signed_in
from tests.e2e.clients import IRIS, client_python, run_script
from tests.e2e.registry import PASSWORD, Caller, administrator, ask_for_production, newcomer, service_account
from tests.receiver import Receiver, receiver
from tests.servers import ADMIN_PASSWORD, Server, slipway_up

pytestmark = [pytest.mark.browser, pytest.mark.client, pytest.mark.xdist_group("story")]
SCRIPTS = Path(__file__).parent / "scripts"
EXAMPLES = IRIS.parent / "registry"
MODEL = "/models/default/iris-classifier/"
SECRET = "a secret of the receiver"


@dataclass
class House:
    """An installation with Tom, a member, the maintainers Mia and Sam, and who listens outside."""

    server: Server
    browser: Any
    admin: Caller
    tom: Caller
    mia: Caller
    sam: Caller
    listening: Receiver

    def page_of(self, who: Caller) -> Any:
        """A browser of somebody, signed in."""
        return signed_in(self.browser, self.server, who.name, ADMIN_PASSWORD if who is self.admin else PASSWORD)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    with chromium() as browser, receiver() as listening, slipway_up(home, SLIPWAY_OUTGOING_ALLOW="127.0.0.1") as server:
        tom, mia, sam = (newcomer(server, "tom"), *(newcomer(server, name, "maintainer") for name in ("mia", "sam")))
        yield House(server, browser, administrator(server), tom, mia, sam, listening)


def test_the_story(house: House, tmp_path: Path) -> None:
    """From training twice to going back; each step is what the one before it left."""
    _the_administrator_sets_the_policy(house)
    _tom_trains_twice(house, tmp_path)
    _the_first_version_enters_by_scripts(house)
    between = int(time.time() * 1000)
    _tom_compares_and_asks(house)
    _two_maintainers_decide(house)
    assert [house.tom.stage_of("iris-classifier", number) for number in "12"] == ["Archived", "Production"]
    _the_webhook_arrives(house)
    _no_other_way_leads_there(house, tmp_path)
    _what_ran_before_is_known(house, between)
    _the_administrator_goes_back(house)
    assert [house.tom.stage_of("iris-classifier", number) for number in "12"] == ["Production", "Archived"]


def _the_administrator_sets_the_policy(house: House) -> None:
    hook = {"name": "deploy", "url": house.listening.url, "dialect": "generic", "secret": SECRET}
    house.admin("POST", "v1/webhooks/", {**hook, "events": ["model_version.stage_changed"]}, expect=201)
    with house.page_of(house.admin) as page:
        page.goto("/settings/policies/")
        page.get_by_role("link", name="Policy of the site").click()
        page.get_by_label("Approvals", exact=True).fill("2")
        page.get_by_label("By role").select_option("maintainer")
        _add_gate(page, "metric", {"key": "accuracy", "value": "0.95"})
        _add_gate(page, "better", {"key": "accuracy"})
        _add_gate(page, "signature", {})
        page.locator("#policy-form").get_by_role("button", name="Save", exact=True).last.click()
        page.wait_for_url("**/settings/policies/")
        assert page.get_by_role("link", name="Production").is_visible()


def _add_gate(page: Any, kind: str, values: dict[str, str]) -> None:
    rows = page.locator(".gate-row")
    place = rows.count()
    page.locator("#add-kind").select_option(kind)
    page.get_by_role("button", name="Add a gate").click()
    row = rows.nth(place)
    row.wait_for()
    for name, value in values.items():
        row.locator(f"[name$='-{name}']").fill(value)


def _tom_trains_twice(house: House, folder: Path) -> None:
    printed = run_script(client_python("3.17.2"), SCRIPTS / "register_twice.py", house.tom.env(), folder, str(EXAMPLES))
    assert printed.splitlines()[-1] == "1 2"


def _the_first_version_enters_by_scripts(house: House) -> None:
    about = {"name": "iris-classifier", "version": "1", "stage": "Production"}
    house.tom("POST", "2.0/mlflow/transition-requests/create", about)
    for who in (house.mia, house.sam):
        who("POST", "2.0/mlflow/transition-requests/approve", {**about, "archive_existing_versions": True})
    assert house.tom.stage_of("iris-classifier", "1") == "Production"


def _tom_compares_and_asks(house: House) -> None:
    with house.page_of(house.tom) as page:
        page.goto("/models/")
        page.get_by_role("link", name="iris-classifier").first.click()
        page.wait_for_url(f"**{MODEL}")
        boxes = page.locator("tbody input[type=checkbox]")
        boxes.nth(0).check()
        boxes.nth(1).check()
        page.get_by_role("button", name="Compare both").click()
        page.wait_for_url("**/compare/**")
        assert page.get_by_text("accuracy").first.is_visible()
        page.goto(f"{MODEL}versions/2/")
        assert page.get_by_text("@candidate").first.is_visible()
        ask_for_production(page, "iris-classifier", 2, "A wider margin, and more accurate.")
        assert page.get_by_text("A wider margin").first.is_visible()


def _two_maintainers_decide(house: House) -> None:
    with house.page_of(house.mia) as mia, house.page_of(house.sam) as sam:
        mia.goto("/")
        mia.locator("#bell .bell-count").wait_for(state="visible")
        mia.locator("#bell").click()
        # A link of two lines: its middle lies between them.
        mia.get_by_role("link", name="tom asks").first.click(position={"x": 40, "y": 6})
        mia.wait_for_url("**/approvals/*/")
        _all_gates_passed(mia)
        address = mia.url
        mia.goto(f"{MODEL}versions/2/discussion/")
        mia.locator("main form textarea").fill("Looks right to me, @sam.")
        mia.get_by_role("button", name="Comment", exact=True).click()
        mia.get_by_text("Looks right to me").first.wait_for()
        sam.goto("/approvals/")
        sam.get_by_role("link", name="iris-classifier version 2").click()
        sam.wait_for_url("**/approvals/*/")
        mia.goto(address)
        mia.locator("#decision textarea").fill("The margin is what we wanted.")
        mia.get_by_role("button", name="Approve").click()
        mia.get_by_text("1 of 2 approvals").first.wait_for()
        # Sam's page says so too, while it is open.
        sam.get_by_text("1 of 2 approvals").first.wait_for(timeout=20_000)
        sam.get_by_role("button", name="Approve").click()
        sam.get_by_text("It was approved").first.wait_for()
        mia.get_by_text("It was approved").first.wait_for(timeout=20_000)
        sam.goto("/notifications/?show=all")
        assert sam.get_by_text("You are mentioned").first.is_visible()


def _all_gates_passed(page: Any) -> None:
    page.get_by_text("3 of 3 passed").first.wait_for(timeout=30_000)
    assert page.get_by_text("accuracy is 1").first.is_visible(), page.inner_text("main")


def _the_webhook_arrives(house: House) -> None:
    end = time.monotonic() + 60
    while not (found := _told(house.listening, "2", "Production")) and time.monotonic() < end:
        time.sleep(0.3)
    headers = {name.lower(): value for name, value in found[0].headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + found[0].body
    digest = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


def _told(listening: Receiver, version: str, stage: str) -> list[Any]:
    facts = [(request, json.loads(request.body)["data"]) for request in list(listening.got)]
    return [request for request, data in facts if (data["version"], data["to_stage"]) == (version, stage)]


def _no_other_way_leads_there(house: House, folder: Path) -> None:
    printed = run_script(client_python("3.17.2"), SCRIPTS / "use_production.py", house.tom.env(), folder)
    lines = dict(
        line.split(" ", 1) for line in printed.replace("delete model", "delete-model").splitlines() if " " in line
    )
    assert lines["predicts"] == "setosa", printed
    for way in ("transition", "archive", "alias"):
        assert lines[way].startswith("PERMISSION_DENIED") and "transition-requests/create" in lines[way], printed
    assert "RESOURCE_CONFLICT" in lines["delete"] and "went through" not in printed
    bot = service_account(house.server, "sneaky-bot")
    request = house.tom("POST", "2.0/mlflow/transition-requests/create", _BACK)["request"]
    bot("POST", f"v1/promotion-requests/{request['id']}/approve/", expect=403)
    house.tom("POST", f"v1/promotion-requests/{request['id']}/approve/", expect=403)
    house.tom("POST", f"v1/promotion-requests/{request['id']}/cancel/")


_BACK = {"name": "iris-classifier", "version": "1", "stage": "Production"}


def _what_ran_before_is_known(house: House, between: int) -> None:
    moment = datetime.fromtimestamp(between / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    query = {"team": "default", "name": "iris-classifier", "stage": "Production"}
    then = house.tom("GET", "v1/history/", {**query, "at_ms": between})["results"]
    now = house.tom("GET", "v1/history/", {**query, "at_ms": int(time.time() * 1000)})["results"]
    assert [[row["version"] for row in rows] for rows in (then, now)] == [[1], [2]]
    assert "version 1" in house.server.command("in_production", "iris-classifier", "--at", moment)
    with house.page_of(house.tom) as page:
        page.goto(f"{MODEL}history/?at={moment}")
        assert page.get_by_text("In place at").first.is_visible()
        assert page.get_by_role("link", name="version 1").first.is_visible()


def _the_administrator_goes_back(house: House) -> None:
    with house.page_of(house.admin) as page:
        page.goto(f"{MODEL}history/")
        page.locator("main").get_by_role("link", name="Roll back").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("It is wrong about virginica.")
        dialog.get_by_role("button", name="Roll back").click()
        page.get_by_text("It is wrong about virginica.").first.wait_for()
        assert page.get_by_text("rollback").first.is_visible()
