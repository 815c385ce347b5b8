"""Which targets there are, by kind. Adding one: see "A target of deployments" in CONTRIBUTING."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.deployments.configuration import TargetKind
from apps.deployments.targets.base import Target


def target_of(kind: TargetKind | str, root: Path) -> Target:
    """The target of a kind, as this host's settings say. `root`: the supervisor's folder of instances.

    Raises `InvalidInput` for a kind that there isn't.
    """
    try:
        return _MAKERS[TargetKind(kind)](root)
    except ValueError:
        raise InvalidInput(f"There is no target '{str(kind)[:50]}'.") from None


# What a target needs is loaded where it is asked for: a host without an engine has none of its libraries' cost.
def _process(root: Path) -> Target:
    from apps.deployments.targets.process.target import process_target

    return process_target(root)


def _docker(root: Path) -> Target:
    from apps.deployments.targets.docker import docker_target

    return docker_target(root)


def _kubernetes(root: Path) -> Target:
    from apps.deployments.targets.kubernetes import kubernetes_target

    return kubernetes_target(root)


_MAKERS: dict[TargetKind, Callable[[Path], Target]] = {
    TargetKind.PROCESS: _process,
    TargetKind.DOCKER: _docker,
    TargetKind.KUBERNETES: _kubernetes,
}
