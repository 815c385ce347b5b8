"""What is brought over from another model registry: values as that one kept them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ForeignVersion:
    """A version of another registry; `source` is what its client wrote."""

    number: int
    source: str
    run_id: str
    run_link: str
    description: str
    status: str
    status_message: str
    stage: str
    created_ms: int
    updated_ms: int
    model_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A registered model of another server; `aliases` map to numbers of versions, `last_number` was given last."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    last_number: int
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    versions: Sequence[ForeignVersion] = ()
