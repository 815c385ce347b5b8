"""Chat rooms: a line with a link. Names and comments are people's: what would be markup in one is defused."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from apps.notifications.dialects.base import (
    JSON_HEADERS,
    Call,
    Dialect,
    Secrets,
    Telling,
    code_of,
    dump,
    hmac_base64,
    unix,
)

_LONGEST = 3000


class SlackDialect(Dialect):
    """An incoming webhook of Slack, or of what takes its shape (Mattermost, Rocket.Chat). Its URL is the secret."""

    code = "slack"
    title = "Slack"
    takes_secret = False

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        text = telling.text[:_LONGEST].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"{text} <{telling.link}>" if telling.link else text}


class FeishuDialect(Dialect):
    """A custom bot of Feishu or Lark. Its sign is in the body: an HMAC of nothing with the key `timestamp\\nsecret`."""

    code = "feishu"
    title = _("Feishu")

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        text = telling.text[:_LONGEST].replace("<at", "<\u200bat")
        return {"msg_type": "text", "content": {"text": f"{text}\n{telling.link}".strip()}}

    def refusal(self, answer: str) -> str:
        code = code_of(answer, "code")
        return f"refused with code {code}" if code else ""

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        if not secrets.secret:
            return super().call(url, payload, uid, now, secrets)
        timestamp = unix(now)
        sign = hmac_base64(f"{timestamp}\n{secrets.secret}".encode(), b"")
        body = {"timestamp": timestamp, "sign": sign, **orjson.loads(payload)}
        return Call(url, dict(JSON_HEADERS), dump(body).encode())


class DingTalkDialect(Dialect):
    """A custom robot of DingTalk. Its sign is in the query: an HMAC of `timestamp\\nsecret` in milliseconds."""

    code = "dingtalk"
    title = _("DingTalk")

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        return {"msgtype": "text", "text": {"content": f"{telling.text[:_LONGEST]}\n{telling.link}".strip()}}

    def refusal(self, answer: str) -> str:
        code = code_of(answer, "errcode")
        return f"refused with errcode {code}" if code else ""

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        if secrets.secret:
            timestamp = str(int(now.timestamp() * 1000))
            sign = hmac_base64(secrets.secret.encode(), f"{timestamp}\n{secrets.secret}".encode())
            parts = urlsplit(url)
            query = "&".join(filter(None, [parts.query, urlencode({"timestamp": timestamp, "sign": sign})]))
            url = urlunsplit(parts._replace(query=query))
        return Call(url, dict(JSON_HEADERS), payload.encode())
