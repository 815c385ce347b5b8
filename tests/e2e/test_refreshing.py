"""Tables that come anew by themselves take nothing from who is at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import chromium, signed_in
from tests.servers import ADMIN_PASSWORD, Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


def refreshed(page: Any) -> None:
    """Wait until the table was asked for twice: by the second time the first answer has been seen to."""
    for _ in range(2):
        with page.expect_response(lambda answer: answer.url.endswith("/queues/")):
            pass


def test_the_focus_stays_where_it_was(browser: Any, up: Server) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto("/queues/")
        pause = page.locator("#queue-table").get_by_role("button", name="Pause")
        pause.focus()
        pause.evaluate("(button) => button.classList.add('of-before')")
        page.locator(".of-before").wait_for(state="detached")
        assert page.evaluate("document.activeElement.textContent") == "Pause"


def test_an_open_dialog_stays_open(browser: Any, up: Server) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.goto("/queues/")
        page.locator("#queue-table").evaluate(
            "(table) => { const asks = document.createElement('dialog'); table.append(asks); asks.show() }"
        )
        refreshed(page)
        assert page.locator("#queue-table dialog[open]").count() == 1
        page.locator("#queue-table dialog").evaluate("(asks) => asks.close()")
        page.locator("#queue-table dialog").wait_for(state="detached")
