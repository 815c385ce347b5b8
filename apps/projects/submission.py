"""What a run is asked for, by whoever asks: a person, a script, a schedule, a hook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from apps.core.errors import InvalidInput
from apps.projects.limits import Limits

MAX_RETRIES = 20
LOWEST, USUAL, HIGHEST = 0, 50, 100


class Submission(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Empty or None: as the project has it. `secrets` are names; `priority` 0 to 100, higher goes first."""

    entry_point: str = ""
    params: dict[str, str] = {}
    env_vars: dict[str, str] = {}
    secrets: list[str] | None = None
    docker_args: dict[str, str] = {}
    queue: str = ""
    priority: int = USUAL
    limits: Limits = Limits()
    gpus: int = 0
    retries: int = 0
    retries_failures: bool = False
    backoff_s: int = 10
    run_name: str = ""
    source_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept: what is not said is left out."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Submission:
        """From what is kept, or was sent. Raises `InvalidInput` that names the field."""
        try:
            submission = msgspec.convert(dict(value), cls)
        except msgspec.ValidationError as error:
            raise InvalidInput(str(error)) from error
        return submission.checked()

    def checked(self) -> Submission:
        """Itself. Raises `InvalidInput` for numbers out of their range."""
        Limits.from_json(self.limits.to_json())
        ranges = {
            "priority": (self.priority, LOWEST, HIGHEST),
            "gpus": (self.gpus, 0, 64),
            "retries": (self.retries, 0, MAX_RETRIES),
            "backoff_s": (self.backoff_s, 0, 86_400),
        }
        for name, (value, least, most) in ranges.items():
            if not least <= value <= most:
                raise InvalidInput(f"{name} has to be from {least} to {most}.")
        return self
