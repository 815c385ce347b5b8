"""The bell of an open page: how many notifications are unread, for as long as the session is good."""

from __future__ import annotations

from typing import Any

from apps.accounts.consumers import LivePage
from apps.core.actor import Actor
from apps.notifications import live
from apps.notifications.selectors import unread_count

LOOK_SECONDS = 30.0


class Bell(LivePage):
    """Says `{"unread": n}` when it is opened and whenever the number changes."""

    look_seconds = LOOK_SECONDS
    user_id = 0
    said: int | None = None

    def group(self) -> str:
        return live.bell_group(self.user_id)

    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        # Known before the group is joined: the first look comes before.
        self.user_id = actor.user_id or 0
        unread = unread_count(actor)
        if unread == self.said:
            return {}
        self.said = unread
        return {"unread": unread}

    def watch(self) -> None:
        live.pushes.watch(self.group())

    async def inbox_touched(self, message: dict[str, Any]) -> None:
        await self.push(frozenset())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A bell is listened to, not spoken to."""
