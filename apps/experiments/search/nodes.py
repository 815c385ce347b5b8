"""The tree that a filter is parsed into. `str(node)` prints it as a filter that parses back to the same tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field belongs to. The values are the protocol's words for them."""

    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "parameter"
    TAG = "tag"
    DATASET = "dataset"


class Op(StrEnum):
    """The comparison operators."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


Value = str | int | float | tuple[str, ...] | None

# How each kind is written, where the protocol's searches don't agree on more than one spelling.
_PREFIXES = {Kind.METRIC: "metrics", Kind.PARAM: "params", Kind.TAG: "tags", Kind.DATASET: "dataset"}


@dataclass(frozen=True, slots=True)
class Field:
    """A kind and a key: `metrics.accuracy`, or for attributes the key alone."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        if self.kind is Kind.ATTRIBUTE:
            return self.key
        mark = '"' if "`" in self.key else "`"
        return f"{_PREFIXES[self.kind]}.{mark}{self.key}{mark}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against a value; `value` is None for the two operators about null."""

    field: Field
    op: Op
    value: Value

    def __str__(self) -> str:
        if self.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return f"{self.field} {self.op}"
        return f"{self.field} {self.op} {_shown(self.value)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """What the part does not match; a comparison whose field is missing does not match."""

    part: Node

    def __str__(self) -> str:
        return f"NOT {_bracketed(self.part)}"


Node = Comparison | And | Or | Not


def comparisons(node: Node) -> list[Comparison]:
    """All comparisons of a tree, from left to right."""
    if isinstance(node, Comparison):
        return [node]
    parts = (node.part,) if isinstance(node, Not) else node.parts
    return [comparison for part in parts for comparison in comparisons(part)]


def requirements(node: Node | None) -> list[Comparison]:
    """The comparisons that hold for everything the tree matches, as far as that is plain to see."""
    parts = node.parts if isinstance(node, And) else (node,)
    return [part for part in parts if isinstance(part, Comparison)]


def _bracketed(node: Node) -> str:
    return str(node) if isinstance(node, Comparison) else f"({node})"


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_shown(item) for item in value)})"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
