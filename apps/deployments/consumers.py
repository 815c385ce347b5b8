"""Open pages of a deployment, told that something of it changed for as long as their person may know it."""

from __future__ import annotations

from typing import Any

from apps.accounts.consumers import LivePage
from apps.core.actor import Actor
from apps.deployments import access, live
from apps.deployments.selectors.overview import fingerprint
from apps.deployments.selectors.states import state_of

# While something is on its way pages look more often: what hosts observe is not pushed.
MOVING_SECONDS = 1.5
SETTLED_SECONDS = 5.0


class DeploymentPage(LivePage):
    """Says `{"now": text}` whenever what pages of the deployment show has changed; they fetch their parts anew."""

    look_seconds = SETTLED_SECONDS
    said = ""

    def group(self) -> str:
        return live.deployment_group(self._key())

    def watch(self) -> None:
        live.pushes.watch(self.group())

    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        deployment = access.get_deployment_by_key(actor, self._key())
        self.look_seconds = MOVING_SECONDS if state_of(deployment).is_moving else SETTLED_SECONDS
        now = fingerprint(deployment)
        if now == self.said:
            return {}
        self.said = now
        return {"now": now}

    async def deployment_touched(self, message: dict[str, Any]) -> None:
        await self.push(frozenset())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page listens, and says nothing."""

    def _key(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["deployment_id"])
