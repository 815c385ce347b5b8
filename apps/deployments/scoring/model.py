"""The loaded model: bodies in, answers out, by MLflow's own functions."""

from __future__ import annotations

import importlib
import json
import traceback
from typing import Any

from .calls import JSON, Answer, problem
from .config import Config
from .log import say
from .quick import Quick, quick_way

#: Messages repeat the input, as MLflow's do; not all of it where it is long.
LONGEST_MESSAGE = 8192


class PredictionFailed(Exception):
    """The model raised an error. What it was is in the log."""

    def __str__(self) -> str:
        return (
            "Encountered an unexpected error while evaluating the model. Verify that the input is compatible with the"
            " model for inference."
        )


class Model:
    """`pyfunc` is an mlflow PyFuncModel."""

    def __init__(self, pyfunc: Any, config: Config) -> None:
        scoring_server: Any = importlib.import_module("mlflow.pyfunc.scoring_server")
        self.pyfunc = pyfunc
        self.schema = pyfunc.metadata.get_input_schema()
        self._invocations = scoring_server.invocations
        self.loader = str(pyfunc.metadata.flavors.get("python_function", {}).get("loader_module"))
        enabled = config.batching.enabled
        self.quick = self._quick_way(enabled is True)
        #: Whether requests may be predicted together.
        self.batched = self.quick is not None and enabled is not False

    def _quick_way(self, forced: bool) -> Quick | None:
        try:
            return quick_way(self.pyfunc, self.loader, forced)
        except Exception as error:  # noqa: BLE001
            say(f"The model is served without short ways: {type(error).__name__}: {error}")
            return None

    def invoke(self, body: bytes, content_type: str) -> Answer:
        """What MLflow's server answers to this body."""
        try:
            result = self._invocations(body, content_type, self.pyfunc, self.schema)
        except Exception as error:  # noqa: BLE001
            return self.failure(error)
        kind = JSON if result.mimetype == "application/json" else result.mimetype.encode() + b"; charset=utf-8"
        return Answer(result.status, result.response.encode(), kind)

    def predict(self, data: Any, params: Any = None) -> Any:
        """What the model predicts for a frame, an array, or arrays by name, with the signature enforced."""
        try:
            return self.pyfunc.predict(data, params=params) if params is not None else self.pyfunc.predict(data)
        except importlib.import_module("mlflow.exceptions").MlflowException:
            raise
        except Exception as error:
            say("A prediction failed:\n" + traceback.format_exc().rstrip())
            raise PredictionFailed from error

    def failure(self, error: Any) -> Answer:
        """An exception as MLflow's server says it, without its stack trace."""
        MlflowException: Any = importlib.import_module("mlflow.exceptions").MlflowException  # noqa: N806

        if isinstance(error, PredictionFailed):
            return problem(400, "BAD_REQUEST", str(error))
        if not isinstance(error, MlflowException):
            say(f"A request failed: {type(error).__name__}: {str(error)[:500]}")
            return problem(
                400, "BAD_REQUEST", f"The input can't be used: {type(error).__name__}: {error}"[:LONGEST_MESSAGE]
            )
        said = json.loads(error.serialize_as_json())
        trace: str | None = said.pop("stack_trace", None)
        if trace:
            say("A prediction failed:\n" + trace.rstrip())
        said["message"] = shortened(said.get("message", ""))
        return Answer(error.get_http_status_code(), json.dumps(said).encode())


def shortened(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + " …"
