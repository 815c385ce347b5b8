from __future__ import annotations

import pytest

from apps.core import markdown


def test_markdown_becomes_html() -> None:
    html = markdown.to_html("# Title\n\n**bold** [site](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<strong>bold</strong>" in html
    assert 'href="https://example.org"' in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://example.org/pixel.png)",
    ],
)
def test_nothing_that_runs_or_loads_gets_through(text: str) -> None:
    html = markdown.to_html(text)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
