"""The one who decides for all hosts, while it holds the lease."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from apps.core.actor import system_actor
from apps.core.errors import DomainError
from apps.deployments.actions import follow_registry, instances, leading, observing, pruning
from apps.deployments.actions.leading import Deposed, Lease
from apps.deployments.configuration import TargetKind
from apps.deployments.models import Deployment, Revision
from apps.deployments.selectors.following import deployments_behind
from apps.deployments.supervision import builds, steps
from apps.deployments.supervision.errands import Errands
from apps.deployments.supervision.planning import plan
from apps.deployments.supervision.world import look

logger = logging.getLogger(__name__)

RENEW_SECONDS = 2.0
PRUNE_SECONDS = 300.0
# What the registry asks for and a deployment's stages don't allow is not tried each second.
_REFUSED_SECONDS = 30.0


class Leader:
    """`tick` does all that has to be done now. It needs the lease: `seek` asks for it, or prolongs it."""

    def __init__(self, host: str, holder: str, errands: Errands, clock: Callable[[], float] = time.monotonic) -> None:
        self.host, self.holder = host, holder
        self.lease: Lease | None = None
        self._errands, self._clock = errands, clock
        self._renew = self._prune = 0.0
        self._refused: dict[int, float] = {}
        # Hosts whose instances listen on ports.
        self._addressed: set[str] = set()

    def seek(self) -> bool:
        """Whether it decides now."""
        actor = system_actor()
        if self.lease is not None and self._clock() < self._renew:
            return True
        asked = self._clock()
        try:
            if self.lease is not None:
                leading.keep_lease(actor, lease=self.lease)
        except Deposed:
            self.lease = None
        if self.lease is None:
            self.lease = leading.take_lease(actor, host=self.host, holder=self.holder)
        self._renew = asked + RENEW_SECONDS
        return self.lease is not None

    def tick(self) -> int:
        """Look, and carry out what follows; how many steps there were. Raises `Deposed` where it decides no more."""
        lease = self.lease
        if lease is None:
            return 0
        moved = self._follow()
        try:
            world = look(leading.database_ms())
            self._addressed = {host.name for host in world.hosts if host.abilities.get("address")}
            found = plan(world)
            for step in found:
                self._carry_out(lease, step)
            if self._clock() >= self._prune:
                self._prune = self._clock() + PRUNE_SECONDS
                self._errands.send("prune", lambda: pruning.prune(system_actor()))
        except Deposed:
            self.lease = None
            raise
        return len(found) + moved

    def leave(self) -> None:
        """Let another decide."""
        self._errands.close()
        if self.lease is not None:
            leading.leave_lease(system_actor(), lease=self.lease)
            self.lease = None

    def _follow(self) -> int:
        """Deployments whose stage or alias has another version."""
        now, moved = self._clock(), 0
        self._refused = {key: until for key, until in self._refused.items() if until > now}
        for deployment in deployments_behind(leaving_out=self._refused):
            if not self._followed(deployment):
                self._refused[deployment.pk] = now + _REFUSED_SECONDS
            else:
                moved += 1
        return moved

    def _followed(self, deployment: Deployment) -> bool:
        try:
            return follow_registry(system_actor(), deployment=deployment)
        except DomainError as error:
            logger.warning("%s can't follow the registry: %s", deployment, error.message)
            return False

    def _carry_out(self, lease: Lease, step: steps.Step) -> None:
        actor = system_actor()
        match step:
            case steps.Prepare(revision):
                self._errands.send(f"prepare {revision.pk}", lambda: builds.prepare(lease, revision))
            case steps.Built(revision, build):
                observing.note_built(actor, lease=lease, revision=revision, build=build)
            case steps.Wake(revision):
                observing.note_waking(actor, lease=lease, revision=revision)
            case steps.Rest(revision, reason):
                observing.rest_revision(actor, lease=lease, revision=revision, reason=reason)
            case steps.Start(revision, slot, host, failures):
                key = secrets.token_urlsafe(32) if self._is_on_a_network(revision, host) else ""
                instances.add_instance(
                    actor, lease=lease, revision=revision, slot=slot, host=host, failures=failures, key=key
                )
            case steps.Drain(going, reason):
                instances.drain_instances(actor, lease=lease, instances=going, reason=reason)
            case steps.Lose(going, reason):
                instances.lose_instances(actor, lease=lease, instances=going, reason=reason)
            case _:
                self._carry_on(lease, step)

    def _carry_on(self, lease: Lease, step: steps.Step) -> None:
        actor = system_actor()
        match step:
            case steps.Ready(revision):
                observing.note_ready(actor, lease=lease, revision=revision)
            case steps.Fall(revision, message):
                observing.note_fallen(actor, lease=lease, revision=revision, message=message)
            case steps.Shift(revision):
                observing.shift_all(actor, lease=lease, revision=revision)
            case steps.Say(revision, message):
                observing.note_message(actor, lease=lease, revision=revision, message=message)
            case steps.Fail(revision, message):
                observing.note_failed(actor, lease=lease, revision=revision, message=message)

    def _is_on_a_network(self, revision: Revision, host: str) -> bool:
        """Whether others than gateways of its own host might reach an instance."""
        return host in self._addressed or revision.config.get("target", TargetKind.PROCESS) != TargetKind.PROCESS
