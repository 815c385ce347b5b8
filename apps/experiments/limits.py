"""What the protocol allows of keys and values, with its words where it doesn't."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from apps.core.errors import InvalidInput
from apps.core.mlflow.wire import invalid_value

MAX_METRICS = 1000
MAX_PARAMS_OR_TAGS = 100
MAX_IN_BATCH = 1000
MAX_BATCH_BYTES = 1_000_000
MAX_KEY_LENGTH = 250
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000
MAX_RUN_NAME_LENGTH = 250
MAX_EXPERIMENT_NAME_LENGTH = 500
MAX_EXPERIMENT_TAG_LENGTH = 20_000

_NAME = re.compile(r"[/\w.\- :]*")
_BAD_CHARACTER = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
    "and slashes (/)."
)
_BAD_PATH = (
    "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
    "This name would resolve to {resolved!r}"
)
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")


def check_metric_key(key: str, path: str) -> None:
    """Raise `InvalidInput` unless a metric may be called so; `path` names the parameter in the message."""
    _check_name(key, path)
    check_length("Metric name", key, MAX_KEY_LENGTH)


def check_metric(key: str, value: float, timestamp: int, prefix: str = "") -> None:
    """Raise `InvalidInput` for a metric that can't be stored; `prefix` is "metrics[3]." in a batch."""
    check_metric_key(key, f"{prefix}name")
    if timestamp < 0:
        hint = f"metric '{key}' (value={value}). Timestamp must be a nonnegative long (64-bit integer) "
        raise invalid_value(f"{prefix}timestamp", timestamp, hint)


def checked_param(key: str, value: str, prefix: str = "") -> tuple[str, str]:
    """The param as it is stored: too long values are cut, as the protocol's server does."""
    _check_name(key, f"{prefix}key")
    check_length("Param key", key, MAX_KEY_LENGTH)
    return key, value[:MAX_PARAM_LENGTH]


def checked_tag(key: str, value: str, prefix: str = "") -> tuple[str, str]:
    """The run's tag as it is stored: too long values are cut, as the protocol's server does."""
    _check_name(key, f"{prefix}key")
    check_length(f"{prefix}key", key, MAX_KEY_LENGTH)
    return key, value[:MAX_TAG_LENGTH]


def checked_experiment_tag(key: str, value: str) -> tuple[str, str]:
    """The experiment's tag as it is stored; here a too long value is refused."""
    _check_name(key, "key")
    check_length("key", key, MAX_KEY_LENGTH)
    check_length("value", value, MAX_EXPERIMENT_TAG_LENGTH)
    return key, value


def check_key(key: str) -> None:
    """Raise `InvalidInput` unless a tag may be called so."""
    _check_name(key, "key")


def check_run_id(run_id: str) -> None:
    """Raise `InvalidInput` for what can't be the id of a run."""
    if not _RUN_ID.fullmatch(run_id):
        raise invalid_value("run_id", run_id)


def check_length(what: str, text: str, limit: int) -> None:
    """Raise `InvalidInput` for text of more than `limit` characters."""
    if len(text) > limit:
        raise InvalidInput(f"'{what}' exceeds the maximum length of {limit} characters")


def check_batch(metrics: int, params: int, tags: int) -> None:
    """Raise `InvalidInput` for a batch of more than the protocol allows."""
    _check_count("metrics", metrics, MAX_METRICS)
    _check_count("params", params, MAX_PARAMS_OR_TAGS)
    _check_count("tags", tags, MAX_PARAMS_OR_TAGS)
    _check_count("metrics, params, and tags", metrics + params + tags, MAX_IN_BATCH)


def check_unique_params(keys: Sequence[str]) -> None:
    """Raise `InvalidInput` where a batch names a param twice."""
    twice = [key for index, key in enumerate(keys) if key in keys[:index]]
    if not twice:
        return
    raise InvalidInput(
        f"Duplicate parameter keys have been submitted: {twice}. Please ensure "
        "the request contains only one param value per param key."
    )


def _check_count(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise InvalidInput(
            f"A batch logging request can contain at most {limit} {what}. "
            f"Got {count} {what}. Please split up {what} across multiple requests and try again."
        )


def _check_name(name: str, path: str) -> None:
    if problem := _problem(name):
        raise invalid_value(path, name, problem)


@lru_cache(maxsize=10_000)
def _problem(name: str) -> str:
    if not _NAME.fullmatch(name):
        return _BAD_CHARACTER
    resolved = posixpath.normpath(name)
    if resolved != name or resolved == "." or resolved.startswith(("..", "/")):
        return _BAD_PATH.format(resolved=resolved)
    return ""
