"""What a run is asked for, by whoever asks: a person, a script, a schedule, a hook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from apps.core.errors import InvalidInput
from apps.experiments.limits import MAX_PARAMS_OR_TAGS, MAX_RUN_NAME_LENGTH, checked_param
from apps.projects.asking.variables import check_secret_name, check_secrets_and_variables, check_variables
from apps.projects.reading.sources import check_reference
from apps.runtime.limits import Limits

MAX_RETRIES = 20
LOWEST, USUAL, HIGHEST = 0, 50, 100
MAX_NAME = 250
# A command has to fit where the kernel takes it from.
MAX_VALUES_BYTES = 100_000


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
        """Itself. Raises `InvalidInput` that names what can't be, wherever it would be run."""
        Limits.from_json(self.limits.to_json()).require_allowed()
        self._check_numbers()
        for name, most in (("entry_point", MAX_NAME), ("run_name", MAX_RUN_NAME_LENGTH), ("queue", 63)):
            _check_text(name, getattr(self, name), most)
        check_reference(self.source_version)
        _check_text("source_version", self.source_version, MAX_NAME)
        self._check_values()
        check_variables(self.env_vars)
        for secret in self.secrets or ():
            check_secret_name(secret)
        check_secrets_and_variables(self.secrets or (), self.env_vars)
        return self

    def _check_numbers(self) -> None:
        ranges = {
            "priority": (self.priority, LOWEST, HIGHEST),
            "gpus": (self.gpus, 0, 64),
            "retries": (self.retries, 0, MAX_RETRIES),
            "backoff_s": (self.backoff_s, 0, 86_400),
        }
        for name, (value, least, most) in ranges.items():
            if not least <= value <= most:
                raise InvalidInput(f"{name} has to be from {least} to {most}.")

    def _check_values(self) -> None:
        """As the protocol has params, since they are logged as such."""
        for name, values in (("params", self.params), ("docker_args", self.docker_args)):
            if len(values) > MAX_PARAMS_OR_TAGS:
                raise InvalidInput(f"{name}: at most {MAX_PARAMS_OR_TAGS} are taken, and these are {len(values)}.")
            for key, value in values.items():
                _check_text(f"{name}.{key[:100]}", key + value, MAX_VALUES_BYTES)
        for key, value in self.params.items():
            checked_param(key, value, "params.")
        if sum(len(key) + len(value) for key, value in self.params.items()) > MAX_VALUES_BYTES:
            raise InvalidInput(f"params: together they are longer than {MAX_VALUES_BYTES} characters.")


def _check_text(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidInput(f"{name}: at most {most} characters are taken.")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput(f"{name}: it holds a character that can't be kept.")
