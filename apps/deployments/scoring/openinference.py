"""The Open Inference Protocol, version 2: inputs become a frame or tensors, as the model's signature has it."""

from __future__ import annotations

import importlib
import json
from typing import Any
from urllib.parse import unquote

from .bodies import BadBody, decompressed, parsed
from .calls import Answer, Request
from .config import Config
from .model import Model, shortened
from .tensors import BadTensor, datatype, from_json, to_json
from .work import Work

PLATFORM = "mlflow"
_COLUMN_TYPES = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
}


def error(status: int, message: str) -> Answer:
    """The protocol's shape of an error."""
    return Answer(status, json.dumps({"error": shortened(message)}).encode())


def as_protocol(answer: Answer) -> Answer:
    """An error in MLflow's shape in this protocol's."""
    said = json.loads(answer.body)
    again = error(answer.status, said.get("message", "")) if "error_code" in said else answer
    return Answer(again.status, again.body, again.kind, answer.headers)


def read(path: bytes, config: Config, model: Model) -> Answer | None:
    """What GET answers below /v2. None where there is nothing."""
    parts = unquote(path.decode("latin-1")).strip("/").split("/")[1:]
    if not parts:
        said: Any = {"name": config.server, "version": config.version, "extensions": []}
        return Answer(200, json.dumps(said).encode())
    if parts in (["health", "live"], ["health", "ready"]):
        return Answer(200, json.dumps({parts[1]: True}).encode())
    rest = _after_model(parts, config)
    if rest is None:
        return error(404, f"There is no model here but {config.name}, version {config.version}.")
    if rest == ["ready"]:
        return Answer(200, json.dumps({"name": config.name, "ready": True}).encode())
    return Answer(200, json.dumps(metadata(config, model)).encode()) if not rest else None


def is_infer(path: bytes, config: Config) -> bool:
    """Whether it is the address that predicts with this model."""
    parts = unquote(path.decode("latin-1")).strip("/").split("/")[1:]
    return _after_model(parts, config) == ["infer"]


def _after_model(parts: list[str], config: Config) -> list[str] | None:
    if parts[:2] != ["models", config.name]:
        return None
    if parts[2:3] == ["versions"]:
        return parts[4:] if parts[3:4] == [config.version] else None
    return parts[2:]


def metadata(config: Config, model: Model) -> dict[str, Any]:
    outputs = model.pyfunc.metadata.get_output_schema()
    return {
        "name": config.name,
        "versions": [config.version],
        "platform": PLATFORM,
        "inputs": _described(model.schema, "input"),
        "outputs": _described(outputs, "output"),
    }


def _described(schema: Any, word: str) -> list[dict[str, Any]]:
    if schema is None:
        return []
    names = schema.input_names() if schema.has_input_names() else []
    described = []
    for place, spec in enumerate(schema.inputs):
        name = str(names[place]) if names else f"{word}-{place + 1}"
        if schema.is_tensor_spec():
            described.append({"name": name, "datatype": datatype(spec.type), "shape": list(spec.shape)})
        else:
            kind = _COLUMN_TYPES.get(getattr(spec.type, "name", ""), "BYTES")
            described.append({"name": name, "datatype": kind, "shape": [-1, 1]})
    return described


class Inference(Work):
    """POST …/infer."""

    def __init__(self, model: Model, request: Request, config: Config) -> None:
        self.model, self.request, self.config = model, request, config

    def alone(self) -> Answer:
        try:
            return self._answer()
        except BadBody as bad:
            return as_protocol(bad.answer)
        except BadTensor as bad:
            return error(400, str(bad))
        except MemoryError:
            return error(413, "The request needs more memory than there is.")
        except BaseException as failed:  # noqa: BLE001
            return as_protocol(self.model.failure(failed))

    def _answer(self) -> Answer:
        encoding = self.request.headers.get(b"content-encoding", b"").decode("latin-1")
        body = parsed(decompressed(self.request.body, encoding, self.config.max_body_bytes))
        if not isinstance(body, dict):
            raise BadTensor("The body is not a JSON object with inputs.")
        inputs = body.get("inputs")
        if not isinstance(inputs, list) or not inputs:
            raise BadTensor("inputs is not a list of at least one tensor.")
        said_parameters = body.get("parameters")
        parameters = said_parameters if isinstance(said_parameters, dict) else {}
        arrays = {str(tensor.get("name")) if isinstance(tensor, dict) else "": from_json(tensor) for tensor in inputs}
        if len(arrays) != len(inputs):
            raise BadTensor("Two of inputs have the same name.")
        kind = _content_type(parameters, inputs)
        data = self._data(arrays, kind)
        result = self.model.predict(data, parameters.get("params"))
        outputs = self._outputs(result)
        wanted = body.get("outputs")
        if isinstance(wanted, list) and wanted:
            outputs = _chosen(outputs, wanted)
        said: dict[str, Any] = {"model_name": self.config.name, "model_version": self.config.version}
        if "id" in body:
            said["id"] = body["id"]
        return Answer(200, json.dumps({**said, "outputs": outputs}, allow_nan=False).encode())

    def _data(self, arrays: dict[str, Any], kind: str) -> Any:
        """What the model is given."""
        schema = self.model.schema
        if kind == "pd":
            return self._frame(arrays)
        if kind == "np":
            return self._tensor(arrays)
        if schema is None:
            return self._tensor(arrays) if len(arrays) == 1 else self._frame(arrays)
        if schema.is_tensor_spec():
            return self._tensor(arrays) if len(schema.inputs) == 1 else arrays
        return self._frame(arrays)

    def _tensor(self, arrays: dict[str, Any]) -> Any:
        """The only tensor, under the signature's name where it has one; all of them by name where there are more."""
        schema = self.model.schema
        if len(arrays) > 1:
            return arrays
        (array,) = arrays.values()
        if schema is not None and schema.is_tensor_spec():
            spec = schema.inputs[0]
            if array.dtype != spec.type and array.dtype.kind in "fiu" and spec.type.kind == "f":
                array = array.astype(spec.type)
            return {spec.name: array} if schema.has_input_names() else array
        return array

    def _frame(self, arrays: dict[str, Any]) -> Any:
        """Columns by their names; or one matrix, whose columns are the signature's by place."""
        pandas: Any = importlib.import_module("pandas")
        schema = self.model.schema
        names = schema.input_names() if schema is not None and schema.has_input_names() else None
        if len(arrays) == 1:
            (array,) = arrays.values()
            if array.ndim == 2 and array.shape[1] > 1:
                if names is not None and array.shape[1] != len(names):
                    message = f"The input has {array.shape[1]} columns. The model expects {len(names)}: "
                    raise BadTensor(message + ", ".join(map(str, names)) + ".")
                return self._typed(pandas.DataFrame(array, columns=names))
        columns = {name: _column(name, array) for name, array in arrays.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise BadTensor("The inputs have not all as many rows.")
        if names is None and schema is not None:
            return self._typed(pandas.DataFrame(dict(enumerate(columns.values()))))
        return self._typed(pandas.DataFrame(columns))

    def _typed(self, frame: Any) -> Any:
        """With the signature's types, where MLflow's own parsing of JSON would have cast to them as well."""
        schema = self.model.schema
        if schema is None or schema.is_tensor_spec():
            return frame
        utils: Any = importlib.import_module("mlflow.utils.proto_json_utils")
        texts = [name for name in frame.columns if frame[name].map(type).eq(bytes).any()]
        return frame if texts else utils.cast_df_types_according_to_schema(frame, schema)

    def _outputs(self, result: Any) -> list[dict[str, Any]]:
        if hasattr(result, "columns") and hasattr(result, "iloc"):
            return [to_json(str(name), result[name].to_numpy(), "pd") for name in result.columns]
        if isinstance(result, dict):
            return [to_json(str(name), value, "np") for name, value in result.items()]
        if hasattr(result, "to_numpy"):
            return [to_json(str(result.name or "output-1"), result.to_numpy(), "pd")]
        return [to_json("output-1", result, "np")]


def _content_type(parameters: Any, inputs: list[Any]) -> str:
    """What the request says of all inputs, or the one that all of them say."""
    if parameters.get("content_type") in ("pd", "np"):
        return str(parameters["content_type"])
    of_each = [tensor.get("parameters") for tensor in inputs]
    said = {each.get("content_type") if isinstance(each, dict) else None for each in of_each}
    return "np" if said == {"np"} else "pd" if said == {"pd"} else ""


def _column(name: str, array: Any) -> Any:
    """One value for each row; a row that is a tensor of its own is a list."""
    if array.ndim == 1:
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 0:
        raise BadTensor(f"Input {name!r}: a column needs a dimension for its rows.")
    return array.tolist()


def _chosen(outputs: list[dict[str, Any]], wanted: list[Any]) -> list[dict[str, Any]]:
    by_name = {output["name"]: output for output in outputs}
    names = [each.get("name") if isinstance(each, dict) else None for each in wanted]
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise BadTensor(f"There is no output {unknown[0]!r}, but {', '.join(by_name)}.")
    if len(set(names)) < len(names):
        # A short request could ask for the same numbers a million times.
        raise BadTensor("Two of outputs have the same name.")
    return [by_name[name] for name in names]
