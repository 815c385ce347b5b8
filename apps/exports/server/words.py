"""The tags by which an export knows at a server what it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What an experiment or model was here: team, name or id, and when it was made. Of a version its number too.
SOURCE = "slipway.export.source"
# That a version only takes a number which is gone here; it names its model's source.
FILLER = "slipway.export.filler"
# The number that a model's server gave last, where it was another than the one that was wanted.
GIVEN = "slipway.export.given"
# What a run and a logged model were called here.
SOURCE_RUN = "slipway.source_run_id"
SOURCE_MODEL = "slipway.source_model_id"
# That all values of a run are there, and that all of it, or of a logged model, is: both name what it was like.
WRITTEN = "slipway.export.written"
DONE = "slipway.export.done"
PARENT = "mlflow.parentRunId"

_OWN = frozenset({SOURCE, FILLER, GIVEN, SOURCE_RUN, SOURCE_MODEL, WRITTEN, DONE})


def plain(tags: Mapping[str, str]) -> dict[str, str]:
    """Without what an export elsewhere wrote, from where they were brought here."""
    return {key: value for key, value in tags.items() if key not in _OWN}


def tags_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """The tags in what a server says of something."""
    return {str(each["key"]): str(each.get("value", "")) for each in answer.get("tags") or ()}
