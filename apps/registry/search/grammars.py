"""What the searches of models and of versions know."""

from __future__ import annotations

from apps.experiments.search.grammars import LISTABLE, TEXTUAL, Grammar
from apps.experiments.search.nodes import Kind

_PREFIXES = {"attribute": Kind.ATTRIBUTE, "tag": Kind.TAG, "tags": Kind.TAG}
_TIMES = frozenset({"creation_timestamp", "last_updated_timestamp"})
_OPERATORS = {Kind.TAG: TEXTUAL, Kind.ATTRIBUTE: LISTABLE}

MODELS = Grammar(
    prefixes=_PREFIXES,
    attributes={name: name for name in ("name", *_TIMES)} | {"timestamp": "last_updated_timestamp"},
    numeric=_TIMES,
    operators=_OPERATORS,
    lists=frozenset({"name"}),
    whole_numbers=True,
)

VERSIONS = Grammar(
    prefixes=_PREFIXES,
    attributes={name: name for name in ("name", "version_number", "run_id", "source_path", *_TIMES)},
    numeric=_TIMES | {"version_number"},
    operators=_OPERATORS,
    lists=frozenset({"name", "run_id"}),
    whole_numbers=True,
)
