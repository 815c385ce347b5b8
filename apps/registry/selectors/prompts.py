"""What a prompt's page shows: its text as the client keeps it in tags, and what changed between two versions of it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.registry.models import ModelVersion, ModelVersionTag, RegisteredModel
from apps.registry.names import PROMPT_KIND_TAG, PROMPT_TEXT_TAG

_FORMAT_TAG = "_mlflow_prompt_response_format"
_CONFIG_TAG = "_mlflow_prompt_model_config"
_VARIABLE = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*\}\}")
_MOST_VERSIONS = 200
_MOST_LINES = 2_000
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt. `messages` are (role, text) of a chat; one of text alone has none.

    `extras` are what else the client keeps, as (name, JSON).
    """

    text: str
    messages: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> str:
        """All of it as text, for comparing."""
        return "\n\n".join(f"{role}:\n{text}" for role, text in self.messages) or self.text


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`sign` is "+", "-" or a space; "…" stands for lines that are left out."""

    sign: str
    text: str


def prompt_of(version: ModelVersion) -> Prompt:
    """What the tags of a prompt's version hold. One statement."""
    return read_prompt(dict(ModelVersionTag.objects.filter(version=version).values_list("key", "value")))


def read_prompt(tags: Mapping[str, str]) -> Prompt:
    """The prompt that these tags say; a chat that can't be read is shown as it is written."""
    text = tags.get(PROMPT_TEXT_TAG, "")
    messages = _messages(text) if tags.get(PROMPT_KIND_TAG) == "chat" else ()
    names = (("response_format", _FORMAT_TAG), ("model_config", _CONFIG_TAG))
    extras = tuple((name, _indented(tags[tag])) for name, tag in names if tags.get(tag))
    return Prompt(text, messages, tuple(dict.fromkeys(_VARIABLE.findall(text))), extras)


def newest_text(model: RegisteredModel) -> str:
    """The text of the newest version; nothing where there is none. Two statements."""
    newest = ModelVersion.objects.filter(model=model).order_by("-number").first()
    return prompt_of(newest).text if newest else ""


def python_call(version: ModelVersion) -> str:
    """Python that loads a version of a prompt that was fetched with its model."""
    address = json.dumps(f"prompts:/{version.model.name}/{version.number}")
    return f"import mlflow\n\nprompt = mlflow.genai.load_prompt({address})"


def versions_of(model: RegisteredModel) -> list[ModelVersion]:
    """The newest versions of a prompt, each with its aliases. Two statements."""
    found = ModelVersion.objects.filter(model=model).select_related("owner").prefetch_related("aliases")
    versions = list(found.order_by("-number")[:_MOST_VERSIONS])
    for version in versions:
        version.model = model
    return versions


def changes(before: str, after: str) -> list[DiffLine]:
    """What changed from one text to another, line by line, with some lines around each change."""
    old, new = before.splitlines()[:_MOST_LINES], after.splitlines()[:_MOST_LINES]
    lines: list[DiffLine] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        if lines or group[0][1] > 0:
            lines.append(DiffLine("…", ""))
        for kind, first, last, new_first, new_last in group:
            if kind == "equal":
                lines += [DiffLine(" ", line) for line in old[first:last]]
            else:
                lines += [DiffLine("-", line) for line in old[first:last]]
                lines += [DiffLine("+", line) for line in new[new_first:new_last]]
    return lines


def _messages(text: str) -> tuple[tuple[str, str], ...]:
    found = _parsed(text)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return ()
    return tuple((str(one.get("role", "")), _content(one.get("content", ""))) for one in found[:200])


def _content(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _indented(text: str) -> str:
    found = _parsed(text)
    return text if found is None else json.dumps(found, ensure_ascii=False, indent=2)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
