"""A version as folders and live servers write it: by the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.imports.sources.cells import text_of
from apps.imports.sources.sql_registry import MODEL_ID
from apps.registry.foreign import ForeignVersion


def version_of(number: int, said: Mapping[str, Any], tags: dict[str, str]) -> ForeignVersion:
    """What is said of a version. Raises `ValueError` and `TypeError` for times that are none."""
    source = text_of(said.get("source"))
    named = MODEL_ID.fullmatch(source)
    return ForeignVersion(
        number=number,
        source=source,
        run_id=text_of(said.get("run_id"), 36),
        run_link=text_of(said.get("run_link")),
        description=text_of(said.get("description")),
        status=text_of(said.get("status")) or "READY",
        status_message=text_of(said.get("status_message"), 1000),
        stage=text_of(said.get("current_stage")) or "None",
        created_ms=int(said.get("creation_timestamp") or 0),
        updated_ms=int(said.get("last_updated_timestamp") or 0),
        model_id=named[1] if named else "",
        tags=tags,
    )
