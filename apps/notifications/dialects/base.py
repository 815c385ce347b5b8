from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.utils.functional import Promise

from apps.notifications.hook_events import EVENTS


@dataclass(frozen=True, slots=True)
class Telling:
    """What a webhook tells: the neutral event, its facts, the sentence and absolute link for people, who and when."""

    event: str
    facts: Mapping[str, Any]
    text: str
    link: str
    team: str
    actor: str
    at: datetime
    webhook_uid: UUID


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What a webhook signs with and shows, in the clear, for as long as a call is made. No log shows them."""

    secret: str = ""
    authorization: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """The request to send. It may hold secrets: it is never kept, and no log shows it."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Dialect(ABC):
    """One shape of webhooks: which words it has for events, the body that tells one, and how the call is signed."""

    code: ClassVar[str]
    title: ClassVar[str | Promise]
    # Whether the place of the receiver is known to take a secret, or an `Authorization` header.
    takes_secret: ClassVar[bool] = True
    takes_authorization: ClassVar[bool] = False
    # Whether its webhooks may start a job in place of calling a URL.
    takes_jobs: ClassVar[bool] = False

    def words(self) -> Sequence[str]:
        """The words one may subscribe to."""
        return sorted(EVENTS)

    def words_of(self, event: str, facts: Mapping[str, Any]) -> Sequence[str]:
        """The words under which an event may have been subscribed, the narrowest first; none: it isn't told."""
        return [event]

    def example_of(self, word: str) -> tuple[str, Mapping[str, Any]]:
        """The neutral event, and facts that change its example, for a test call of `word`."""
        return word, {}

    @abstractmethod
    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        """The body as JSON values. It is kept, and shown to whoever manages the webhook."""

    def refusal(self, answer: str) -> str:
        """What an answer with a good status complains of, else empty: some chats say 200 to everything."""
        return ""

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        """The request for a kept payload, signed anew at each try."""
        return Call(url, dict(JSON_HEADERS), payload.encode())


JSON_HEADERS = {"Content-Type": "application/json", "User-Agent": "Slipway-Webhook"}


def dump(payload: Mapping[str, Any]) -> str:
    """A payload as the text that is kept and sent."""
    return orjson.dumps(payload, default=str).decode()


def code_of(answer: str, name: str) -> int:
    """The number under `name` in an answer of JSON; 0 where there is none."""
    try:
        said = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return 0
    code = said.get(name) if isinstance(said, dict) else 0
    return code if isinstance(code, int) else 0


def hmac_hex(secret: str, content: bytes) -> str:
    """HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def hmac_base64(key: bytes, content: bytes) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def unix(now: datetime) -> str:
    """Whole seconds since 1970, as text."""
    return str(int(now.timestamp()))
