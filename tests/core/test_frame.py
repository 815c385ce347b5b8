from __future__ import annotations

import re

from django.test import Client

from slipway.paths import ASSETS
from tests.personas import People

STATIC = ASSETS / "static"
TEMPLATES = ASSETS / "templates"


def test_pages_run_no_inline_script(people: People) -> None:
    page = people.ada.browser().get("/").content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)", page)
    assert not re.findall(r"\son[a-z]+=", page)
    assert "script-src 'self'" in people.ada.browser().get("/")["Content-Security-Policy"]


def test_everything_a_page_loads_is_served(people: People) -> None:
    page = people.ada.browser().get("/").content.decode()
    for path in set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page)):
        assert Client().get(path).status_code == 200, path


def test_the_frame_names_team_and_place(people: People) -> None:
    page = people.ada.browser().get("/experiments/").content.decode()
    assert 'href="/experiments/" data-goes="e" aria-current="page"' in page
    assert "forge" in page
    assert "harbour" not in page


def test_every_icon_in_use_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "img/icons.svg").read_text()))
    used = {
        name
        for template in TEMPLATES.rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"', template.read_text())
    }
    assert used - drawn == set()


def test_colours_are_named_in_one_place() -> None:
    for sheet in (STATIC / "css").glob("*.css"):
        if sheet.name != "tokens.css":
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*{)", sheet.read_text()), sheet.name
