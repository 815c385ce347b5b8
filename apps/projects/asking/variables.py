"""What variables and secrets of a run may be called, and hold. One rule for projects, runs, schedules and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from apps.core.errors import InvalidInput

MAX_VARIABLES = 100
MAX_VALUE = 10_000
MAX_SECRET_BYTES = 64 * 1024
# All that a child is given has to fit where the kernel takes it from: two megabytes with the arguments.
MAX_SECRETS_BYTES = 1024 * 1024

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_SECRET = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
# What Slipway sets, and what makes the loader, the interpreter or the shell run something else.
_PREFIXES = ("MLFLOW_", "SLIPWAY_", "LD_", "DYLD_", "PYTHON", "BASH_", "GCONV_")
_NAMES = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX"),
        *("ENV", "IFS", "SHELLOPTS", "BASHOPTS", "PS4", "CDPATH", "GLOBIGNORE", "PROMPT_COMMAND"),
        *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"),
    )
)


def is_ours(name: str) -> bool:
    """Whether a variable is set by Slipway, or decides what a program loads, and so is not a project's to set."""
    upper = name.upper()
    return upper in _NAMES or upper.startswith(_PREFIXES)


def check_variables(variables: Mapping[str, str]) -> None:
    """Raise `InvalidInput` for environment variables that nobody may set, or too many of them."""
    if len(variables) > MAX_VARIABLES:
        raise InvalidInput(f"At most {MAX_VARIABLES} variables.")
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise InvalidInput(f"'{name[:100]}' can't be the name of a variable.")
        _refuse_ours(name)
        if len(value) > MAX_VALUE or not _can_be_given(value):
            raise InvalidInput(f"The value of {name} is too long, or holds a character that can't be kept.")


def check_secret_name(name: str) -> None:
    """Raise `InvalidInput` for a name that no secret may have."""
    if not _SECRET.fullmatch(name):
        raise InvalidInput(
            "A secret is named as a variable is: capital letters, digits and _, at most 100, a letter first."
        )
    _refuse_ours(name)


def check_secret_value(value: str) -> None:
    """Raise `InvalidInput` for a value that can't be a variable's, in words that hold nothing of it."""
    if not value:
        raise InvalidInput("A secret has a value.")
    if not _can_be_given(value):
        raise InvalidInput("The value holds a character that no variable can hold.")
    if len(value.encode()) > MAX_SECRET_BYTES:
        raise InvalidInput(f"The value of a secret is at most {MAX_SECRET_BYTES // 1024} KB.")


def check_secrets_and_variables(secrets: Iterable[str], variables: Mapping[str, str]) -> None:
    """Raise `InvalidInput` where a secret and a variable of one run have the same name, or a secret is named twice."""
    names = list(secrets)
    if len(names) > MAX_VARIABLES:
        raise InvalidInput(f"At most {MAX_VARIABLES} secrets.")
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"The secret {name[:100]} is named twice.")
        if name in variables:
            raise InvalidInput(f"{name[:100]} is a secret and a variable of this run: leave one of them out.")


def _refuse_ours(name: str) -> None:
    if is_ours(name):
        raise InvalidInput(f"{name} is set by Slipway and the system, and not a project's to set.")


def _can_be_given(value: str) -> bool:
    if "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a character
        return False
    return True
