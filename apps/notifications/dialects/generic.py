from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.notifications.dialects.base import JSON_HEADERS, Call, Dialect, Secrets, Telling, hmac_base64, unix


class GenericDialect(Dialect):
    """Our own JSON with all facts, with the headers and the signature of Standard Webhooks."""

    code = "generic"
    title = _("JSON")
    takes_authorization = True
    takes_jobs = True

    def payload(self, word: str, telling: Telling) -> dict[str, Any]:
        return {
            "type": word,
            "timestamp": telling.at.isoformat(),
            "team": telling.team,
            "actor": telling.actor,
            "text": telling.text,
            "url": telling.link,
            "data": dict(telling.facts),
        }

    def call(self, url: str, payload: str, uid: UUID, now: datetime, secrets: Secrets) -> Call:
        timestamp = unix(now)
        headers = {**JSON_HEADERS, "webhook-id": str(uid), "webhook-timestamp": timestamp}
        if secrets.secret:
            signature = hmac_base64(secrets.secret.encode(), f"{uid}.{timestamp}.{payload}".encode())
            headers["webhook-signature"] = f"v1,{signature}"
        if secrets.authorization:
            headers["Authorization"] = secrets.authorization
        return Call(url, headers, payload.encode())
