"""What each search knows: which fields there are, what they compare with, and the words for what they don't."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.core.errors import InvalidInput
from apps.experiments.search.nodes import Comparison, Field, Kind, Op
from apps.experiments.search.tokens import Sort, Token

MAX_PATTERN = 1_000
MAX_WILDCARDS = 50

NUMERIC = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
TEXTUAL = (Op.EQ, Op.NE, Op.LIKE, Op.ILIKE)
LISTABLE = (*TEXTUAL, Op.IN, Op.NOT_IN)
NULLABLE = (*TEXTUAL, Op.IS_NULL, Op.IS_NOT_NULL)

_PLAIN_KEY = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Grammar:
    """The fields of one search. Raises `InvalidInput`, worded as the protocol's server does, for any other."""

    prefixes: Mapping[str, Kind]
    attributes: Mapping[str, str]
    numeric: frozenset[str]
    operators: Mapping[Kind, Sequence[Op]]
    lists: frozenset[str]
    bare_values: bool = False
    # Numbers may be quoted, and have no fraction.
    whole_numbers: bool = False

    def field(self, written: str) -> Field:
        """The field that an identifier names."""
        if _is_quoted(written) or "." not in written:
            return self._attribute(_unquoted(written))
        prefix, _, key = written.partition(".")
        prefix = _unquoted(prefix)
        if prefix not in self.prefixes:
            valid = [kind.value for kind in dict.fromkeys(self.prefixes.values())]
            raise InvalidInput(f"Invalid entity type '{prefix[:100]}'. Valid values are {valid}")
        kind = self.prefixes[prefix]
        if not _is_quoted(key) and not _PLAIN_KEY.fullmatch(key):
            raise InvalidInput(f"Invalid comparison clause. Expected 'Identifier' found '{written[:100]}'")
        name = _unquoted(key)
        if kind is Kind.ATTRIBUTE:
            return self._attribute(name)
        if kind is Kind.DATASET and name not in DATASET_KEYS:
            raise InvalidInput(f"Invalid dataset key '{name[:100]}' specified. Valid keys are {sorted(DATASET_KEYS)}")
        return Field(kind, name)

    def comparison(self, written: str, operator: str, value: Token) -> Comparison:
        """A field against one value."""
        field = self.field(written)
        if self.is_numeric(field):
            number = _whole_number(field, value) if self.whole_numbers else _number(field, value)
            return Comparison(field, self._operator(field, operator), number)
        text = self._text(field, value)
        op = self._operator(field, operator)
        return Comparison(field, op, _pattern(text) if op in (Op.LIKE, Op.ILIKE) else text)

    def list_comparison(self, written: str, operator: str, items: Sequence[Token]) -> Comparison:
        """A field against a list of texts."""
        field = self.field(written)
        if self.is_numeric(field):
            raise InvalidInput(f"Expected numeric value type for {_described(field)}. Found a list")
        allowed = Op.IN in self.operators[field.kind]
        if not allowed or (field.kind is Kind.ATTRIBUTE and field.key not in self.lists):
            raise InvalidInput(
                f"Only {sorted(self.lists)} attributes support comparison with a list of quoted string values."
            )
        if operator not in (Op.IN, Op.NOT_IN):
            raise InvalidInput(f"Invalid comparator '{operator}' for a list; use IN or NOT IN")
        if not items and not self.bare_values:
            raise InvalidInput(
                "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
            )
        if any(item.sort is not Sort.TEXT for item in items):
            raise InvalidInput(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, "
                "but got different type in list"
            )
        return Comparison(field, Op(operator), tuple(item.value for item in items))

    def null_check(self, written: str, op: Op) -> Comparison:
        """A field that is there, or isn't."""
        field = self.field(written)
        if op not in self.operators[field.kind] or field.kind is Kind.ATTRIBUTE:
            kinds = [kind for kind in (Kind.TAG, Kind.PARAM) if Op.IS_NULL in self.operators.get(kind, ())]
            supported = " and ".join(f"{_PLURALS[kind]}" for kind in kinds) or "no fields of this search"
            raise InvalidInput(
                f"IS NULL / IS NOT NULL is only supported for {supported}, not for '{field.kind}' '{field.key[:100]}'"
            )
        return Comparison(field, op, None)

    def is_numeric(self, field: Field) -> bool:
        """Whether the field compares with numbers."""
        return field.kind is Kind.METRIC or (field.kind is Kind.ATTRIBUTE and field.key in self.numeric)

    def _attribute(self, name: str) -> Field:
        if name not in self.attributes:
            raise InvalidInput(
                f"Invalid attribute key '{name[:100]}' specified. Valid keys are '{{{_listed(self.attributes)}}}'"
            )
        return Field(Kind.ATTRIBUTE, self.attributes[name])

    def _operator(self, field: Field, operator: str) -> Op:
        valid = NUMERIC if self.is_numeric(field) else self.operators[field.kind]
        if operator not in valid:
            raise InvalidInput(f"Invalid comparator '{operator}' not one of '{{{_listed(valid)}}}'")
        return Op(operator)

    def _text(self, field: Field, value: Token) -> str:
        if value.sort is Sort.TEXT:
            return value.value
        if self.bare_values:
            return value.text
        if value.sort is Sort.WORD:
            raise InvalidInput(
                "Parameter value is either not quoted or unidentified quote types used for string value "
                f"{value.text[:100]}. Use either single or double quotes."
            )
        raise InvalidInput(f"Expected a quoted string value for {_described(field)}. Got value {value.text[:100]}")


_PLURALS = {Kind.TAG: "tags", Kind.PARAM: "params"}
DATASET_KEYS = frozenset({"name", "digest", "context"})

RUN_ATTRIBUTES = {
    name: name for name in ("run_id", "run_name", "status", "artifact_uri", "user_id", "start_time", "end_time")
} | {"created": "start_time", "Created": "start_time"}
_RUN_NAMES = dict.fromkeys(("run name", "Run name", "Run Name"), "run_name")

_METRICS = {"metric": Kind.METRIC, "metrics": Kind.METRIC}
_PARAMS = dict.fromkeys(("parameter", "parameters", "param", "params"), Kind.PARAM)
_TAGS = {"tag": Kind.TAG, "tags": Kind.TAG}
_ATTRIBUTES = dict.fromkeys(("attribute", "attributes", "attr", "run"), Kind.ATTRIBUTE)
_DATASETS = {"dataset": Kind.DATASET, "datasets": Kind.DATASET}

RUNS = Grammar(
    prefixes=_METRICS | _PARAMS | _TAGS | _ATTRIBUTES | _DATASETS,
    attributes=RUN_ATTRIBUTES | _RUN_NAMES,
    numeric=frozenset({"start_time", "end_time"}),
    operators={
        Kind.METRIC: NUMERIC,
        Kind.PARAM: NULLABLE,
        Kind.TAG: NULLABLE,
        Kind.ATTRIBUTE: LISTABLE,
        Kind.DATASET: LISTABLE,
    },
    lists=frozenset({"run_id"}),
)

EXPERIMENTS = Grammar(
    prefixes={"attribute": Kind.ATTRIBUTE, **_TAGS},
    attributes={name: name for name in ("name", "experiment_id", "creation_time", "last_update_time")},
    numeric=frozenset({"creation_time", "last_update_time"}),
    operators={Kind.TAG: NULLABLE, Kind.ATTRIBUTE: LISTABLE},
    lists=frozenset({"experiment_id"}),
)

LOGGED_MODELS = Grammar(
    prefixes={
        "attributes": Kind.ATTRIBUTE,
        "metrics": Kind.METRIC,
        "params": Kind.PARAM,
        "tags": Kind.TAG,
    },
    attributes={
        "name": "name",
        "model_id": "model_id",
        "experiment_id": "experiment_id",
        "status": "status",
        "model_type": "model_type",
        "source_run_id": "source_run_id",
        "artifact_location": "artifact_uri",
        "artifact_uri": "artifact_uri",
        "creation_time": "created",
        "creation_timestamp": "created",
        "creation_timestamp_ms": "created",
        "last_updated_timestamp": "updated",
        "last_updated_timestamp_ms": "updated",
    },
    numeric=frozenset({"created", "updated"}),
    operators={Kind.METRIC: NUMERIC, Kind.PARAM: LISTABLE, Kind.TAG: LISTABLE, Kind.ATTRIBUTE: LISTABLE},
    lists=frozenset({"name", "model_id", "experiment_id", "status", "model_type", "source_run_id", "artifact_uri"}),
    bare_values=True,
)


def _number(field: Field, value: Token) -> int | float:
    if value.sort is not Sort.NUMBER:
        raise InvalidInput(f"Expected numeric value type for {_described(field)}. Found {value.text[:100]}")
    # Python refuses to read thousands of digits as an int, and no column holds them.
    is_whole = value.text.lstrip("-").isdecimal() and len(value.text) <= 40
    return int(value.text) if is_whole and field.kind is not Kind.METRIC else float(value.text)


def _whole_number(field: Field, value: Token) -> int | float:
    if value.sort is Sort.TEXT and value.value.removeprefix("-").isdecimal() and value.value.isascii():
        return _number(field, Token(Sort.NUMBER, value.value))
    number = _number(field, value) if value.sort is Sort.NUMBER else None
    if not isinstance(number, int):
        raise InvalidInput(f"Invalid value for numeric attribute '{field.key}': {value.text[:100]}")
    return number


def _pattern(text: str) -> str:
    if len(text) > MAX_PATTERN or text.count("%") > MAX_WILDCARDS:
        raise InvalidInput(f"A pattern may have at most {MAX_PATTERN} characters and {MAX_WILDCARDS} times '%'.")
    return text


def _described(field: Field) -> str:
    if field.kind is Kind.METRIC:
        return "metric"
    if field.kind is Kind.ATTRIBUTE:
        return f"numeric attribute: {field.key}" if field.key in _NUMERIC_NAMES else "attributes"
    return "dataset attributes" if field.kind is Kind.DATASET else f"{field.kind} (e.g. 'my-value')"


_NUMERIC_NAMES = RUNS.numeric | EXPERIMENTS.numeric | LOGGED_MODELS.numeric


def _is_quoted(text: str) -> bool:
    return len(text) >= 2 and text[0] in "`\"'" and text[0] == text[-1] and text[0] not in text[1:-1]


def _unquoted(text: str) -> str:
    return text[1:-1] if _is_quoted(text) else text


def _listed(names: Sequence[str] | Mapping[str, str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
