"""How a revision is run. One shape for forms, API, command line, targets and the scoring server's own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from apps.core.errors import InvalidInput

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# What is ours, and what makes the loader, the interpreter, the shell or MLflow's server run something else than the
# version: in production that would be code which nobody has approved.
_NOT_TO_SET = ("SLIPWAY_", "LD_", "DYLD_", "GCONV_", "PYTHON", "BASH_", "UVICORN_", "GUNICORN_")
_NOT_TO_SET_NAMES = frozenset(("BASHOPTS", "SHELLOPTS", "PS4"))
MAX_VARIABLES = 100


class TargetKind(StrEnum):
    """Where instances run."""

    PROCESS = "process"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class ScoringServer(StrEnum):
    """What answers in an instance: Slipway's own server, or MLflow's."""

    SLIPWAY = "slipway"
    MLFLOW = "mlflow"


class Config(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """`workers` are processes in each of `instances`. `memory_mb` and `cpus` bound an instance; None: the host alone.

    `timeout_s` is how long one answer may take, `concurrency` how many are worked on at once by each worker: who comes
    then gets 429. `network`: whether an instance may reach others. `keep_warm_s`: how long a revision goes on running
    after its traffic went elsewhere. `sticky_header` names a header whose value keeps a caller at one revision.
    `calls_per_minute` bounds each token; None: not at all. While traffic is split these two, which count before a
    revision is chosen, are those of the revision with most of it.
    """

    target: TargetKind = TargetKind.PROCESS
    server: ScoringServer = ScoringServer.SLIPWAY
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    instances: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    memory_mb: Annotated[int, msgspec.Meta(ge=64, le=4_194_304)] | None = None
    cpus: Annotated[float, msgspec.Meta(gt=0, le=1024)] | None = None
    timeout_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    max_body_mb: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 100
    batching: bool = True
    network: bool = False
    keep_warm_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 600
    sticky_header: Annotated[str, msgspec.Meta(max_length=64)] = ""
    calls_per_minute: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    env_vars: dict[str, Annotated[str, msgspec.Meta(max_length=10_000)]] = {}

    def to_json(self) -> dict[str, Any]:
        """As it is kept: what is as usual is left out."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        # The library leaves out what is the very default, and keeps an equal number.
        return {name: value for name, value in kept.items() if getattr(self, name) != getattr(_USUAL, name)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Config:
        """From what is kept, or was sent. Raises `InvalidInput` that names the field."""
        try:
            config = msgspec.convert(dict(value), cls)
        except msgspec.ValidationError as error:
            what, _, field = str(error).replace("`", "").partition(" - at $")
            raise InvalidInput(f"config{field}: {what[:1].lower()}{what[1:]}.") from error
        config._check()
        return config

    def changed(self, **values: Any) -> Config:
        """With other values. Raises `InvalidInput`."""
        return Config.from_json(msgspec.to_builtins(self) | values)

    def _check(self) -> None:
        if self.sticky_header and not _HEADER.fullmatch(self.sticky_header):
            raise InvalidInput(f"config.sticky_header: '{self.sticky_header}' is no name of a header.")
        if len(self.env_vars) > MAX_VARIABLES:
            raise InvalidInput(f"config.env_vars: at most {MAX_VARIABLES}.")
        for name, value in self.env_vars.items():
            if not _VARIABLE.fullmatch(name):
                raise InvalidInput(f"config.env_vars: '{name[:100]}' is no name of a variable.")
            if name in _NOT_TO_SET_NAMES or name.startswith(_NOT_TO_SET) or not _can_be_given(value):
                raise InvalidInput(f"config.env_vars: {name} can't be set.")


def _can_be_given(value: str) -> bool:
    """Half a surrogate pair, which JSON can write, is no character."""
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)


_USUAL = Config()
