"""What a gate is: a check that the server makes before a version enters a slot.

A gate is a small class. It checks what an administrator typed, says in words what it demands, and judges one case by
the facts of a docket, which was loaded for many cases in a constant number of statements. It never writes.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.registry.models import GateState

if TYPE_CHECKING:
    from apps.registry.gates.docket import Case, Docket

Text = str | Promise
Params = dict[str, Any]
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """A value that an administrator gives, and how a form asks for it.

    `kind` is `text`, `number`, `integer` or `choice`; `choices` are (value, label).
    """

    name: str
    label: Text
    kind: str = "text"
    choices: tuple[tuple[str, Text], ...] = ()
    default: str = ""
    required: bool = True
    help: Text = ""
    max_length: int = 250
    least: int = 0

    def read(self, given: object) -> str | float | int:
        """The value as it is stored. Raises `InvalidInput`."""
        text = self._as_text(given)
        if not text:
            if self.required:
                raise InvalidInput(f"'{self.name}' is missing.")
            return text
        if self.kind == "number":
            return _number(self.name, text)
        if self.kind == "integer":
            return _integer(self.name, text, self.least)
        if self.kind == "choice" and text not in dict(self.choices):
            known = ", ".join(value for value, _label in self.choices)
            raise InvalidInput(f"'{self.name}' has to be one of {known}.")
        return text

    def _as_text(self, given: object) -> str:
        if given is None or given == "":
            return self.default
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise InvalidInput(f"'{self.name}' has to be a text or a number.")
        if isinstance(given, int) and abs(given) > 2**63:
            raise InvalidInput(f"'{self.name}' is too large.")
        text = str(given).strip() if self.kind != "text" else str(given)
        if len(text) > self.max_length or "\x00" in text:
            raise InvalidInput(f"'{self.name}' is too long, or no text.")
        return text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate found. `text` is a sentence with the values in it; `evidence` holds them for programs, as JSON.

    `experiments`: the keys of those whose runs the values are from; only their readers are shown text and evidence.
    """

    state: GateState
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    experiments: Collection[int] = ()


def passed(text: str, experiments: Collection[int] = (), **evidence: Any) -> Verdict:
    """It is as wanted."""
    return Verdict(GateState.PASSED, text, evidence, experiments)


def failed(text: str, experiments: Collection[int] = (), **evidence: Any) -> Verdict:
    """It is not as wanted."""
    return Verdict(GateState.FAILED, text, evidence, experiments)


def pending(text: str, **evidence: Any) -> Verdict:
    """It can't be said yet: it waits for somebody, or something is away."""
    return Verdict(GateState.PENDING, text, evidence)


class Gate(ABC):
    """One kind of gate. `kind` is what policies store; `title` and `help` are for pages."""

    kind: ClassVar[str]
    title: ClassVar[Text]
    help: ClassVar[Text]
    fields: ClassVar[tuple[Field, ...]] = ()
    # Not to be chosen while what it asks for doesn't exist on this server.
    is_offered: ClassVar[bool] = True
    # Another app judges it: `apps.registry.gates.others`.
    asks_others: ClassVar[bool] = False
    # It reads files of the version, which may be slow.
    reads_files: ClassVar[bool] = False

    def check_params(self, params: Mapping[str, object]) -> Params:
        """What was typed, as it is stored. Raises `InvalidInput` for what is missing, wrong or unknown."""
        unknown = sorted(set(params) - {each.name for each in self.fields})
        if unknown:
            raise InvalidInput(f"The gate '{self.kind}' has no parameter '{unknown[0][:100]}'.")
        return {each.name: each.read(params.get(each.name)) for each in self.fields}

    @abstractmethod
    def describe(self, params: Params) -> str:
        """What it demands, as a sentence without a full stop."""

    @abstractmethod
    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        """Whether a version may pass."""

    def metric_keys(self, params: Params) -> Collection[str]:
        """The metrics that it looks at, so that the docket loads those."""
        return ()

    def looks_at_run(self, params: Params) -> bool:
        """Whether it looks at what a script logs at any time, which nobody tells of."""
        return bool(self.metric_keys(params))

    def looks_at_holders(self) -> bool:
        """Whether it compares with what is in the slot now."""
        return False


def shown(value: float | None) -> str:
    """A number as texts show it: six significant digits; words for what is none."""
    return gettext("no finite number") if value is None else f"{value:.6g}"


KEY_FIELD = Field("key", _("Metric"), help=_("The name under which the run logged it."))


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInput(f"'{name}' has to be a number.") from error
    if not math.isfinite(value):
        raise InvalidInput(f"'{name}' has to be a finite number.")
    return value


def _integer(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= least):
        raise InvalidInput(f"'{name}' has to be a whole number from {least} on.")
    return int(text)


def checked_json(gate: Params) -> str:
    """For comparing gates: the same gate has the same text."""
    return json.dumps(gate, sort_keys=True)
