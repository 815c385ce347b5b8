"""What a file or a dictionary may ask of a run on a server: `slipway run -c`, and the plug-in of the mlflow client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core.errors import InvalidInput

_PLAIN = ("queue", "priority", "gpus", "retries", "retries_failures", "backoff_s", "secrets", "env_vars", "docker_args")
KNOWN = (*_PLAIN, "limits", "timeout", "project")


def fields_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a run as the API has them; `timeout`, in seconds, is short for `limits.seconds`.

    Raises `InvalidInput` for what is not known. `project` is not among the fields.
    """
    if unknown := [name for name in config if name not in KNOWN]:
        raise InvalidInput(f"'{unknown[0]}' is not known here; known are: {', '.join(KNOWN)}.")
    fields = {name: config[name] for name in _PLAIN if name in config}
    limits = dict(config.get("limits") or {})
    if config.get("timeout") is not None:
        limits["seconds"] = config["timeout"]
    return fields | ({"limits": limits} if limits else {})
