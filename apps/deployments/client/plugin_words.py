"""The words of the mlflow client's target `slipway`: its URI, its `config`, and the help that explains both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.core.errors import InvalidInput
from apps.deployments.client.waiting import USUAL_SECONDS
from apps.deployments.client.words import config_of, fields, follow_of, number_of, truth_of

HELP = f"""\
Deployments of a Slipway server.

Target URI
  slipway                     the server of MLFLOW_TRACKING_URI
  slipway://HOST[:PORT]       that server, over HTTPS
  slipway:http://HOST:PORT    that address, as it is written
Credentials are those of the tracking client: MLFLOW_TRACKING_TOKEN (of the scope all; to predict, serve is enough), or
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. MLFLOW_WORKSPACE names the team.

Model URI
  models:/NAME/1, models:/NAME@ALIAS, models:/NAME/Production or models:/NAME: a version of a registered model.
  What a run logged is registered first.

Config (-C NAME=VALUE) of create and update
  How it is run: {", ".join(fields())}.
    An empty value makes it usual again.
  follow=stage:Production, follow=alias:NAME or follow=fixed, with follow_mode=propose or follow_mode=apply
  stages=Staging,Production   a version has to be in one of these to be deployed here; empty: any
  port=5001, port_host=127.0.0.1, port_open=true
  description=TEXT, reason=TEXT
  canary=true                 of update: make it ready, and leave its traffic to `slipway deployments shift`
  wait=false                  don't wait until it serves; timeout=SECONDS: so long at most (usually {USUAL_SECONDS:.0f})

run-local takes the long options of `slipway models serve`: -C port=5001 -C workers=2.
"""
_SCHEME = "slipway"
_PLAIN = ("description", "port_host")


@dataclass(frozen=True, slots=True)
class Asked:
    """What `config` says: how it is run, the rules of the deployment, and how to go about it."""

    config: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    canary: bool = False
    waits: bool = True
    seconds: float = USUAL_SECONDS


def asked_of(config: Mapping[str, Any] | None) -> Asked:
    """From values of JSON or words, as a command line gives them. Raises `InvalidInput` that names what is unknown."""
    left = dict(config or {})
    rules: dict[str, Any] = {}
    if "follow" in left:
        rules |= follow_of(str(left.pop("follow")))
    if "follow_mode" in left:
        rules["follow_mode"] = str(left.pop("follow_mode"))
    if "stages" in left:
        rules["stages"] = _listed(left.pop("stages"))
    if "port" in left:
        port = left.pop("port")
        rules["port"] = None if port in (None, "", "none") else number_of("port", port)
    if "port_open" in left:
        rules["port_open"] = truth_of("port_open", left.pop("port_open"))
    rules |= {name: str(left.pop(name)) for name in _PLAIN if name in left}
    return Asked(
        reason=str(left.pop("reason", "")),
        canary=truth_of("canary", left.pop("canary", False)),
        waits=truth_of("wait", left.pop("wait", True)),
        seconds=float(number_of("timeout", left.pop("timeout", int(USUAL_SECONDS)))),
        rules=rules,
        config=config_of(left),
    )


def server_uri(target: str, tracking: str) -> str:
    """The server that a target's URI names. Raises `InvalidInput`."""
    _, colon, rest = target.partition(":")
    if not colon or not rest.strip("/"):
        return tracking
    if rest.startswith("//"):
        return f"https://{rest[2:].rstrip('/')}"
    address = rest.lstrip("/")
    if not address.startswith(("http://", "https://")):
        raise InvalidInput(f"'{target[:200]}' names no server; write slipway://HOST or slipway:http://HOST:PORT.")
    return address


def _listed(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else list(value)
    return [str(part).strip() for part in parts if str(part).strip()]
