"""Takes what looks like a secret out of a text that goes to a log or a collector.

Who calls can put anything into such a text: each pattern takes linear time, whatever it is. Hence no run of characters
in front of a word that is looked for, bounded ones behind it, and quantifiers that give nothing back (`*+`).
"""

from __future__ import annotations

import re

# Of a text, in characters; what is longer loses its middle.
LONGEST = 16_384
_TAIL = 8_192
_WORDS = (
    r"(?:password|passwd|passphrase|secret|token|signature|credential|session_?id|api[_-]?key|access[_-]?key"
    r"|private[_-]?key)"
)
# What stands behind a name: quoted within a quoted text, quoted, a list, or one word. Quotes may be missing at the end.
_VALUE = (
    r"""(?:(?<=\\["'])[^"'\\]*+|(?<=")(?:[^"\\]|\\.)*+|(?<=')(?:[^'\\]|\\.)*+"""
    r"""|(?<!["'])(?:\[[^\]]*+|[^&\s'"]++))"""
)
_PATTERNS = (
    # Our tokens: what is left says whose it is.
    (re.compile(r"\b(slw_[0-9A-Za-z]{12}_)[0-9A-Za-z]{8,}"), r"\1…"),
    # Headers with nothing else in them, as they are sent, and as dictionaries and pairs of them are shown.
    (
        re.compile(
            r"""(?i)((?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,30}?(?:token|key|secret))"""
            r"""(?:\\{0,3}["']\s{0,2}[:,]|\s?:)\s{0,4}(?:b?\\{0,3}["'])?(?:(?:bearer|basic|token|digest)\s{1,4})?)"""
            r"""(?:(?<=["'])[^"'\\\r\n]++|[^"'\\\r\n]++)"""
        ),
        r"\1…",
    ),
    (re.compile(r"(?i)\b((?:bearer|basic) {1,8})[A-Za-z0-9._~+/=-]{8,}"), r"\1…"),
    # Who signs in to a web server by an address: a token is the name as often as the password.
    (re.compile(r"""(?i)(\bhttps?://)[^/\s?#"'<>]+@"""), r"\1…@"),
    # Passwords of other addresses: of databases, brokers, mail and repositories.
    (re.compile(r"(://[^/\s:@]*+:)[^/\s]+@"), r"\1…@"),
    # Parts of query strings, of settings, and of objects: `X-Amz-Signature=`, `access_token=`, `'password': `.
    (
        re.compile(
            rf"""(?is)({_WORDS}[\w.-]{{0,40}}+(?:\\{{0,3}}["']\s{{0,4}}:|\s?=(?!=))\s{{0,4}}(?:b?\\{{0,3}}["'])?){_VALUE}"""
        ),
        r"\1…",
    ),
    (re.compile(r"(?i)\b(pass(?:word|wd|phrase)\s?: {1,4})[^\s'\"]++"), r"\1…"),
)


def scrubbed(text: str) -> str:
    """The text without what looks like a secret, in characters that can be written, at most about `LONGEST` of them."""
    text = _writable(_shortened(text))
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _writable(text: str) -> str:
    """Half a surrogate, as a path or a body may have it, is told as `\\udcff`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _shortened(text: str) -> str:
    """Beginning and end. No word is cut where that can be helped: half a secret may look like none."""
    if len(text) <= LONGEST:
        return text
    tail = text[-_TAIL:].partition("\n")[2]
    head = text[: LONGEST - len(tail)]
    head = (head.rsplit(None, 1) or [""])[0]
    return f"{head} … ({len(text) - len(head) - len(tail)} characters left out)\n{tail}".rstrip("\n")
