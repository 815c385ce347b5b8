"""Containers whose worker died: no signal reaches them, so whoever lives on the same host ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from apps.core.errors import DomainError
from apps.runtime.docker.engine import answering, connect

SITE, RUN, FENCE, RECEIPT = "slipway.site", "slipway.run", "slipway.fence", "slipway.receipt"
# `(run, fence)` as a container's labels name them.
Held = tuple[int, int]


def reap(sites: Iterable[str], still_held: Callable[[set[Held]], set[Held]]) -> int:
    """End the installation's containers on this engine whose run nobody holds under their fence; how many.

    `still_held` is asked once, for all there are. Of those that have ended, held or not, the code is left as `Work`
    says: their worker may be dead. Without an engine there are none.
    """
    try:
        with answering(), closing(connect(seconds=10)) as engine:
            found = {each: _held(each) for site in sites for each in _of_site(engine.containers, site)}
            for each in found:
                _leave_receipt(each)
            lost = set(found.values()) - (still_held(set(found.values())) if found else set())
            return sum(_ended(container) for container, held in found.items() if held in lost)
    except DomainError:
        return 0


def _of_site(containers: object, site: str) -> list[Container]:
    listed: list[Container] = containers.list(all=True, sparse=True, filters={"label": f"{SITE}={site}"})  # type: ignore[attr-defined]
    return listed


def _held(container: Container) -> Held:
    labels = container.attrs.get("Labels") or {}
    return int(labels.get(RUN, 0)), int(labels.get(FENCE, 0))


def _leave_receipt(container: Container) -> None:
    path = (container.attrs.get("Labels") or {}).get(RECEIPT)
    if path and container.attrs.get("State") == "exited":
        with suppress(APIError, OSError):
            container.reload()
            Path(path).write_text(str(container.attrs["State"]["ExitCode"]))


def _ended(container: Container) -> bool:
    """Whether it was this one who ended it."""
    with suppress(NotFound, APIError):
        container.remove(force=True, v=True)
        return True
    return False
