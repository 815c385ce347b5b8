"""The kinds of gates there are, in the order in which forms offer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.core.errors import InvalidInput
from apps.registry.gates.base import Gate, Params, checked_json
from apps.registry.gates.better import BetterGate
from apps.registry.gates.build import BuildGate
from apps.registry.gates.check import CheckGate
from apps.registry.gates.files import InputExampleGate, SignatureGate
from apps.registry.gates.metric import MetricGate
from apps.registry.gates.project_run import ProjectRunGate
from apps.registry.gates.words import DescriptionGate, TagGate

MOST_GATES = 20

_ALL: tuple[Gate, ...] = (
    MetricGate(),
    BetterGate(),
    SignatureGate(),
    InputExampleGate(),
    TagGate(),
    DescriptionGate(),
    CheckGate(),
    ProjectRunGate(),
    BuildGate(),
)
KINDS: Mapping[str, Gate] = {gate.kind: gate for gate in _ALL}


def gate_of(kind: str) -> Gate:
    """A kind by its name. Raises `InvalidInput`."""
    if kind not in KINDS:
        raise InvalidInput(f"There is no gate '{kind[:100]}'; there are {', '.join(KINDS)}.")
    return KINDS[kind]


def offered() -> list[Gate]:
    """The kinds that a policy may demand."""
    return [gate for gate in KINDS.values() if gate.is_offered]


def check_gates(given: object) -> list[Params]:
    """The gates of a policy, `[{"kind": …, "params": {…}}, …]`, as they are stored. Raises `InvalidInput`."""
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise InvalidInput("'gates' has to be a list.")
    if len(given) > MOST_GATES:
        raise InvalidInput(f"A policy has at most {MOST_GATES} gates.")
    checked = [_checked(gate) for gate in given]
    if len({checked_json(gate) for gate in checked}) < len(checked):
        raise InvalidInput("The same gate is there twice.")
    return checked


def describe(gate: Params) -> str:
    """What a stored gate demands, as a sentence without a full stop."""
    return gate_of(gate["kind"]).describe(gate["params"])


def _checked(given: object) -> Params:
    if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str):
        raise InvalidInput("Each of 'gates' has to be an object with 'kind' and 'params'.")
    params = given.get("params", {})
    if not isinstance(params, Mapping) or set(given) - {"kind", "params"}:
        raise InvalidInput("Each of 'gates' has to be an object with 'kind' and 'params'.")
    gate = gate_of(given["kind"])
    if not gate.is_offered:
        raise InvalidInput(f"The gate '{gate.kind}' can't be chosen yet. {gate.help}")
    return {"kind": gate.kind, "params": gate.check_params({str(name): params[name] for name in params})}
