"""POST /invocations."""

from __future__ import annotations

from typing import Any

from . import parquet
from .bodies import BadBody, decompressed, is_json, is_rows, parsed, rows_as_mlflow
from .calls import Answer, Request, problem
from .config import Config
from .model import Model
from .work import Portion, Work

_NOT_PARSED = object()


class Invocation(Work):
    def __init__(self, model: Model, request: Request, config: Config) -> None:
        self.model, self.config = model, config
        self.body = request.body
        headers = request.headers
        # Without a type it is taken for JSON, which it nearly always is.
        self.content_type = headers.get(b"content-type", b"application/json").decode("latin-1")
        self.encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        self.value: Any = _NOT_PARSED
        self.bad: Answer | None = None

    def prepare(self) -> Portion | None:
        try:
            if self.encoding:
                self.body = decompressed(self.body, self.encoding, self.config.max_body_bytes)
                self.encoding = ""
            if not is_json(self.content_type):
                return None
            self.value = parsed(self.body)
            quick = self.model.quick
            return quick.portion(self.value) if quick is not None and isinstance(self.value, dict) else None
        except BadBody as error:
            self.bad = error.answer
        except Exception:  # noqa: BLE001, S110
            # Whatever the quick way stumbles over is the other one's to judge.
            pass
        return None

    def alone(self) -> Answer:
        if self.bad is not None:
            return self.bad
        try:
            if self.value is not _NOT_PARSED and is_rows(self.value):
                return self.model.invoke(rows_as_mlflow(self.value, self.model.schema), "application/json")
            if self.content_type.partition(";")[0].strip().lower() == parquet.TYPE:
                parquet.check_size(self.body, self.config.max_bodies_bytes)
            return self.model.invoke(self.body, self.content_type)
        except BadBody as error:
            return error.answer
        except MemoryError:
            return problem(413, "INVALID_PARAMETER_VALUE", "The request needs more memory than there is.")
        except BaseException as error:  # noqa: BLE001
            return self.model.failure(error)
