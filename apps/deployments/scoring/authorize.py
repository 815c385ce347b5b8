"""Whether a caller may call: asked of the tracking server, and remembered for a short while."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Callable

from .calls import Answer, problem
from .config import Authorize
from .log import say

_REMEMBERED = 4096
_TIMEOUT_S = 5.0
_MOST_SAID = 8192
#: Tokens that are asked about at once. Those who wait hold their bodies, and anybody can make tokens up.
_ASKED_AT_MOST = 128
_CHALLENGE = ((b"WWW-Authenticate", b'Bearer realm="slipway"'),)
NO_TOKEN = problem(401, "UNAUTHENTICATED", "Send a token of scope serve: Authorization: Bearer …", _CHALLENGE)

_BUSY = problem(
    503,
    "TEMPORARILY_UNAVAILABLE",
    "Too many callers are being asked about. Try again.",
    ((b"Retry-After", b"2"),),
)


class Gatekeeper:
    """Answers `None` for who may call. Asks in threads, one question for each Authorization at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rule: Authorize) -> None:
        self._loop, self._rule = loop, rule
        self._let_in: dict[bytes, tuple[float, Answer | None]] = {}
        # Apart: tokens that are made up must not make those forgotten that are good.
        self._refused: dict[bytes, tuple[float, Answer | None]] = {}
        self._asked: dict[bytes, list[Callable[[Answer | None], None]]] = {}

    def ask(self, header: bytes, then: Callable[[Answer | None], None]) -> None:
        """Call `then`, at once where it is known."""
        if not header:
            then(NO_TOKEN)
            return
        key = hashlib.sha256(header).digest()
        known = self._let_in.get(key) or self._refused.get(key)
        if known is not None and known[0] > time.monotonic():
            then(known[1])
            return
        if len(self._asked) >= _ASKED_AT_MOST and key not in self._asked:
            then(_BUSY)
            return
        waiting = self._asked.setdefault(key, [])
        waiting.append(then)
        if len(waiting) == 1:
            future = self._loop.run_in_executor(None, ask_server, self._rule, header)
            future.add_done_callback(lambda done: self._told(key, done.result()))

    def _told(self, key: bytes, verdict: tuple[Answer | None, bool]) -> None:
        answer, certain = verdict
        known = self._let_in if answer is None else self._refused
        if len(known) >= _REMEMBERED:
            known.clear()
        if certain:
            kept = self._rule.cache_s if answer is None else self._rule.cache_s / 5
            self._let_in.pop(key, None)
            known[key] = (time.monotonic() + kept, answer)
        for then in self._asked.pop(key, []):
            then(answer)


def _said(error: urllib.error.HTTPError) -> str:
    """What the tracking server says of a token whose scopes are too narrow; it tells nobody what is there."""
    usual = "The token does not allow to call this model."
    try:
        body = json.loads(error.read(_MOST_SAID)) if error.code == 403 else {}
    except (OSError, ValueError):
        return usual
    return str(body.get("message") or usual) if isinstance(body, dict) else usual


def ask_server(rule: Authorize, header: bytes) -> tuple[Answer | None, bool]:
    """What to answer (None: let in), and whether the server said so."""
    query = urllib.parse.urlencode({"scope": rule.scope})
    url = rule.url + ("&" if "?" in rule.url else "?") + query
    request = urllib.request.Request(url, headers={"Authorization": header.decode("latin-1")})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
            return None, True
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return problem(401, "UNAUTHENTICATED", "The token is not valid.", _CHALLENGE), True
        if error.code in (403, 404):
            return problem(403, "PERMISSION_DENIED", _said(error)), True
        say(f"The tracking server answered {error.code} when asked about a caller.")
    except (OSError, ValueError) as error:
        say(f"The tracking server can't be asked about a caller: {error}")
    message = "The tracking server can't be asked whether you may call. Try again."
    return problem(503, "TEMPORARILY_UNAVAILABLE", message, ((b"Retry-After", b"2"),)), False
