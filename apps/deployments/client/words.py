"""What somebody types for a deployment, as the API takes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.core.errors import InvalidInput
from apps.deployments.configuration import Config

_ENV = "env_vars"
# Their values are words, whatever they look like.
_WORDS = ("target", "server", "sticky_header")
_EMPTY = ("", "null", "none", "None")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


def config_of(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a configuration from words: `memory_mb=2048`, `batching=false`, `memory_mb=` for none,
    `env_vars.NAME=value`. Raises `InvalidInput` for a name that there is not; values are the server's to judge.
    """
    config: dict[str, Any] = {}
    for name, value in pairs.items():
        field, dot, variable = name.partition(".")
        if field not in Config.__struct_fields__ or (dot and field != _ENV):
            raise InvalidInput(f"There is no '{name[:100]}' to configure; there are {', '.join(fields())}.")
        if dot:
            variables = config.setdefault(_ENV, {})
            if not isinstance(variables, dict):
                raise InvalidInput(f"{_ENV} is given as a whole and by name: choose one.")
            variables[variable] = str(value)
        elif field in config:
            raise InvalidInput(f"{_ENV} is given as a whole and by name: choose one.")
        else:
            config[field] = _typed(field, value)
    return config


def fields() -> list[str]:
    """What can be configured."""
    return [*(name for name in Config.__struct_fields__ if name != _ENV), f"{_ENV}.NAME"]


def pairs_of(words: Iterable[str]) -> dict[str, str]:
    """`name=value` of each. Raises `InvalidInput` for what is none, and for a name that comes twice."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InvalidInput(f"'{word[:100]}' is no name=value, such as memory_mb=2048.")
        if name in pairs:
            raise InvalidInput(f"{name} is given twice.")
        pairs[name] = value
    return pairs


def follow_of(words: str, mode: str | None = None) -> dict[str, Any]:
    """`stage:Production`, `alias:champion` or `fixed`. Raises `InvalidInput`."""
    kind, colon, name = words.partition(":")
    if kind == "fixed" and not colon:
        asked: dict[str, Any] = {"follows": "fixed", "followed": ""}
    elif kind in ("stage", "alias") and name:
        asked = {"follows": kind, "followed": name}
    else:
        raise InvalidInput(f"'{words[:100]}' can't be followed: write stage:Production, alias:NAME or fixed.")
    return asked | ({"follow_mode": mode} if mode else {})


def weights_of(words: Iterable[str], wanted: int | None) -> dict[str, int]:
    """`1=75 2=25`: percents by revision. What one alone leaves goes to the wanted one. Raises `InvalidInput`."""
    weights: dict[str, int] = {}
    for number, percent in pairs_of(words).items():
        if not (number.isdecimal() and percent.removesuffix("%").isdecimal()):
            raise InvalidInput(f"'{number}={percent}' is no REVISION=PERCENT, such as 2=25.")
        weights[str(int(number))] = int(percent.removesuffix("%"))
    if len(weights) == 1 and wanted is not None:
        ((alone, share),) = weights.items()
        if share < 100 and alone != str(wanted):
            weights[str(wanted)] = 100 - share
    return weights


def truth_of(name: str, value: Any) -> bool:
    """Yes or no. Raises `InvalidInput`."""
    word = str(value).lower()
    if word in _TRUE or word == "1":
        return True
    if word in _FALSE or word == "0":
        return False
    raise InvalidInput(f"{name}: '{str(value)[:50]}' is neither true nor false.")


def number_of(name: str, value: Any) -> int:
    """A whole number. Raises `InvalidInput`."""
    try:
        return int(str(value))
    except ValueError:
        raise InvalidInput(f"{name}: '{str(value)[:50]}' is no whole number.") from None


def _typed(field: str, value: Any) -> Any:
    """A value of JSON; words are read as it, and what is none stays a word, which the server refuses by name."""
    if not isinstance(value, str) or field in _WORDS:
        return value
    if value in _EMPTY:
        return None
    if value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    try:
        return json.loads(value)
    except ValueError:
        return value
