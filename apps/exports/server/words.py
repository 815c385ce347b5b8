"""The tags by which an export knows at a server what it wrote."""

from __future__ import annotations

# What an experiment or model was here: team, name or id, and when it was made.
SOURCE = "slipway.export.source"
# What a run and a logged model were called here.
SOURCE_RUN = "slipway.source_run_id"
SOURCE_MODEL = "slipway.source_model_id"
# That all values of a run are there, and that all of it is: both name what it was like.
WRITTEN = "slipway.export.written"
DONE = "slipway.export.done"
PARENT = "mlflow.parentRunId"
