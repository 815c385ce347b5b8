"""How much a run may take. What is None is bounded by the host alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings

from apps.core.errors import InvalidInput

GIT_SECONDS = 600


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`seconds` from start to end; `cpus` whole machine's cores; the rest in MiB and in number."""

    seconds: int | None = None
    cpus: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    file_mb: int | None = None
    disk_mb: int | None = None
    network: bool = True

    def to_json(self) -> dict[str, Any]:
        """As it is kept: what is not said is left out."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Limits:
        """From what is kept, or was sent. Raises `InvalidInput` that names the field."""
        try:
            limits = msgspec.convert(dict(value), cls)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"limits: {error}") from error
        for name in AMOUNTS:
            amount = getattr(limits, name)
            if amount is not None and not 0 < amount < 2**31:
                raise InvalidInput(f"limits.{name} has to be more than 0.")
        return limits

    def require_allowed(self) -> Limits:
        """Itself. Raises `InvalidInput` where it asks for more time than the operator gives."""
        most: int = settings.PROJECT_TIME_LIMIT
        if self.seconds is not None and self.seconds > most:
            raise InvalidInput(f"limits.seconds: runs may go on for {most} s here.")
        return self

    def over(self, defaults: Limits) -> Limits:
        """These, and for what they don't say the defaults."""
        return Limits.from_json(defaults.to_json() | self.to_json())


# What is limited in numbers.
AMOUNTS = tuple(name for name in Limits.__struct_fields__ if name != "network")
