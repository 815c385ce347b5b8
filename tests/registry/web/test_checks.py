from __future__ import annotations

from apps.registry import actions
from apps.registry.models import CheckState
from tests.personas import People
from tests.registry.models import make_model, make_version


def test_a_versions_page_shows_what_was_reported(people: People) -> None:
    version = make_version(people.ada, make_model(people.ada))
    page, browser = "/models/forge/iris/versions/1/", people.vera.browser()
    assert "Checks" not in browser.get(page).content.decode()
    said = {"name": "<tests>", "text": "120 of 120", "url": "https://ci.example/42"}
    actions.report_check(people.ben.actor, version=version, state=CheckState.PASSED, **said)
    shown = browser.get(page).content.decode()
    for text in ("Checks", "&lt;tests&gt;", "by ben: 120 of 120", 'href="https://ci.example/42"'):
        assert text in shown, text
