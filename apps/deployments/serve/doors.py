"""Who may call: anybody on this machine; from elsewhere, whom the tracking server lets."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from apps.core.errors import DomainError, InvalidInput, PermissionDenied
from apps.deployments.serve.tracker import Tracker

SCOPE = "serve"
_ASKED_AT = "me/serving/"


@dataclass(frozen=True, slots=True)
class Door:
    """`authorize`: as the scoring server's settings have it; None: it asks nobody. `said`: what to tell, or empty."""

    authorize: dict[str, Any] | None = None
    said: str = ""


def door_of(host: str, *, is_open: bool, files: str, tracker: Tracker) -> Door:
    """How a server on `host` is guarded. Raises `InvalidInput` where a token is wanted and nobody can check it."""
    if is_loopback(host):
        return Door()
    if is_open:
        return Door(said=f"WARNING: open. Whoever reaches {host} may call this model, without a token.")
    query = urlencode({"files": files}) if files.startswith(("mlflow-artifacts:", "s3:")) else ""
    path = f"{_ASKED_AT}?{query}" if query else _ASKED_AT
    _require_answer(path, host, tracker)
    said = f"On {host} callers need a token of {tracker.uri} with the scope {SCOPE}."
    return Door({"url": f"{tracker.uri}/api/v1/{path}", "scope": SCOPE}, said)


def _require_answer(path: str, host: str, tracker: Tracker) -> None:
    """That the server tells who may call. Our own credentials need not be such that they may: that is an answer too."""
    try:
        tracker.get_v1(path)
    except PermissionDenied:
        return
    except DomainError as error:
        raise InvalidInput(
            f"On {host} callers need a token, which the Slipway server of MLFLOW_TRACKING_URI checks, and "
            f"{tracker.uri} does not: {error.message} Serve on 127.0.0.1, or with --open to all who reach this port."
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
