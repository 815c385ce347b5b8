"""Names of models, aliases and tags, in one canonical form; the errors keep the words that clients match on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from apps.core.errors import InvalidInput
from apps.experiments import limits

MAX_MODEL_NAME = 256
MAX_ALIAS = 255
MAX_KEY = 250
MAX_TAG_VALUE = 100_000
MAX_DESCRIPTION = 100_000
MAX_SOURCE = 2_000
MAX_RUN_LINK = 2_000
# The tag that makes a registered model a prompt.
PROMPT_TAG = "mlflow.prompt.is_prompt"
# The tag of a prompt's version that holds its text.
PROMPT_TEXT_TAG = "mlflow.prompt.text"
# The tag that says how to read it: as text or as a chat.
PROMPT_KIND_TAG = "_mlflow_prompt_type"

Pair = tuple[str, str]

_RESERVED_ALIAS = re.compile(r"[vV]\d+")
_ALIAS = re.compile(r"[\w\-]*")


def check_model_name(name: str, parameter: str = "name") -> None:
    """Raise `InvalidInput` unless `name` can be a model's: no `/` or `:`, nothing invisible, at most 256 characters."""
    if not name.strip():
        raise InvalidInput(f"Missing value for required parameter '{parameter}'.")
    limits.check_length(parameter, name, MAX_MODEL_NAME)
    if "/" in name or ":" in name:
        raise InvalidInput(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    if name != name.strip() or name in (".", "..") or unicodedata.normalize("NFC", name) != name or _hides(name):
        raise InvalidInput("Invalid name: no spaces at its ends, no control characters, in Unicode's composed form.")


def check_alias(alias: str) -> None:
    """Raise `InvalidInput` unless `alias` can be one: letters, digits, `_` and `-`; not `latest`, not like `v1`."""
    if not alias:
        raise InvalidInput("Registered model alias name cannot be empty.")
    limits.check_length("alias", alias, MAX_ALIAS)
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if alias.lower() == "latest":
        raise InvalidInput("'latest' alias name (case insensitive) is reserved.")
    if _RESERVED_ALIAS.fullmatch(alias):
        raise InvalidInput(f"Version alias name '{alias}' is reserved.")


def says_prompt(tags: Mapping[str, str]) -> bool:
    """Whether the tags of a new model or version say that it is a prompt."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


def checked_tags(tags: Iterable[Pair]) -> dict[str, str]:
    """Tags as they are stored: the last of each key. Raises `InvalidInput`."""
    return dict(checked_tag(key, value) for key, value in tags)


def checked_tag(key: str, value: str) -> Pair:
    """A tag, if it can be one. Raises `InvalidInput`."""
    limits.check_key(key)
    limits.check_length("key", key, MAX_KEY)
    limits.check_length("value", value, MAX_TAG_VALUE)
    return key, value


def _hides(name: str) -> bool:
    """Control characters, and marks that turn the direction of writing."""
    return any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for character in name)
