"""Gates: what the server checks before a version enters a slot."""

from apps.registry.gates.base import Field, Gate, Verdict
from apps.registry.gates.evaluation import evaluate_many, preview, read_files
from apps.registry.gates.kinds import KINDS, check_gates, describe, gate_of, offered

__all__ = [
    "KINDS",
    "Field",
    "Gate",
    "Verdict",
    "check_gates",
    "describe",
    "evaluate_many",
    "gate_of",
    "offered",
    "preview",
    "read_files",
]
