"""Who may call what is served beside this server. The files are those of Ada's run."""

from __future__ import annotations

from tests.doors import READERS, Door

CALLER_DOORS = {"GET api:me_serving": Door(READERS, {"files": "mlflow-artifacts:/{experiment}/{run}/artifacts"})}
