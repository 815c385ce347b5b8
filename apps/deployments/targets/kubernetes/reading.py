"""From what a cluster says of an instance's objects to what is there of it, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.deployments.targets.base import Observation

Object = Mapping[str, Any]
# A pod that died so often before it ever answered will not do better: the supervisor's own back-off takes over.
_DEATHS = 2
_WORDS = {
    "ImagePullBackOff": "The cluster can't pull the image",
    "ErrImagePull": "The cluster can't pull the image",
    "InvalidImageName": "The cluster does not take the image's name",
    "CreateContainerConfigError": "The cluster can't make the container",
    "CreateContainerError": "The cluster can't make the container",
}
_HOPELESS = frozenset({"InvalidImageName"})


@dataclass(frozen=True, slots=True)
class Found:
    """A Deployment, where there is one, and its pods."""

    deployment: Object | None
    pods: Sequence[Object] = field(default_factory=list)


def observation_of(found: Found, memory_mb: int | None, address: Callable[[], str]) -> Observation:
    """What is there. A Deployment that can't become ready is as one that ended, with the reason."""
    if found.deployment is None:
        gone = not found.pods
        return Observation(not gone, exit_code=0 if gone else None)
    if found.deployment["metadata"].get("deletionTimestamp"):
        return Observation(True)
    if int(found.deployment.get("status", {}).get("readyReplicas") or 0):
        return Observation(True, True, address())
    failed = _failed(found, memory_mb)
    return failed or Observation(True, message=_waiting(found.pods))


def address_of(service: Object | None) -> str:
    """Where a balancer answers; empty while it has no address."""
    points = ((service or {}).get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    hosts = [str(point.get("ip") or point.get("hostname") or "") for point in points]
    host = next((host for host in hosts if host), "")
    return f"http://[{host}]:80" if ":" in host else f"http://{host}:80" if host else ""


def age_of(thing: Object) -> float:
    """Seconds since it was made."""
    made = thing["metadata"].get("creationTimestamp")
    return (datetime.now(UTC) - datetime.fromisoformat(made)).total_seconds() if made else 0.0


def _failed(found: Found, memory_mb: int | None) -> Observation | None:
    for status in _statuses(found.pods):
        ended = (status.get("lastState") or {}).get("terminated") or (status.get("state") or {}).get("terminated")
        if ended and int(status.get("restartCount") or 0) >= _DEATHS:
            code = int(ended.get("exitCode") or 0)
            return Observation(False, exit_code=-(code - 128) if code > 128 else code, message=_died(ended, memory_mb))
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _HOPELESS:
            return Observation(False, message=_waiting(found.pods))
    for condition in (found.deployment or {}).get("status", {}).get("conditions") or []:
        is_late = condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        if is_late:
            return Observation(False, message=_waiting(found.pods) or str(condition.get("message", "")))
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return Observation(False, message=f"The cluster makes no pod: {condition.get('message', '')}")
    return None


def _died(ended: Object, memory_mb: int | None) -> str:
    """Empty where its own log tells it."""
    if ended.get("reason") == "OOMKilled":
        return f"The memory limit of {memory_mb} MB was reached." if memory_mb else "Its node ran out of memory."
    return ""


def _waiting(pods: Sequence[Object]) -> str:
    for status in _statuses(pods):
        waiting = (status.get("state") or {}).get("waiting") or {}
        if words := _WORDS.get(str(waiting.get("reason"))):
            return f"{words}: {waiting.get('message', '')}".rstrip(": ")
    for pod in pods:
        for condition in pod.get("status", {}).get("conditions") or []:
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                return f"No node takes its pod: {condition.get('message', '')}"
    return ""


def _statuses(pods: Sequence[Object]) -> Iterator[Object]:
    for pod in pods:
        yield from pod.get("status", {}).get("containerStatuses") or []
