"""Markdown that people wrote, as safe HTML."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "del", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


def to_html(text: str) -> SafeString:
    """`text` as HTML without scripts, styles, images and links that run something."""
    cleaned = nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(cleaned)  # noqa: S308  # nosec: cleaned above


def to_text(text: str) -> str:
    """The words of Markdown on one line, for lists: no marks, no addresses of links, no HTML."""
    inlines = (token for token in _PARSER.parse(text) if token.type in ("inline", "code_block", "fence"))
    words = " ".join(_words_of(token) for token in inlines)
    return " ".join(words.split())


def _words_of(token: Token) -> str:
    if not token.children:
        return token.content
    return "".join(" " if part.type.endswith("break") else part.content for part in token.children)
