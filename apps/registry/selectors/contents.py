"""What the files of a version say of it: signature, input example, requirements, and calls to copy.

All of it is read with limits and shown as text; nothing of a model is imported.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import DomainError, InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.registry.addresses import version_uri
from apps.registry.mlmodel import (
    FILE,
    MAX_BYTES,
    BrokenMLmodel,
    MLmodel,
    folder_of_version,
    parse_mlmodel,
    read_content,
)
from apps.registry.models import ModelVersion
from apps.registry.signatures import Signature

_MOST_BYTES = 64 * 1024
_MAX_DEPTH = 64
_REQUIREMENTS_SHOWN = 200
_EXAMPLE_ROWS = 3
_PORT = 5001
_SAMPLES = {
    "boolean": True, "integer": 1, "long": 1, "float": 0.5, "double": 0.5, "string": "a", "binary": "YQ==",
    "datetime": "2026-01-01T00:00:00",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read. `problem` says why there is no `mlmodel`; `example` is a body of `/invocations` as JSON.

    `is_made_up`: the example was made from the signature's types, since none was logged.
    """

    mlmodel: MLmodel | None = None
    problem: str = ""
    example: str = ""
    is_made_up: bool = False
    requirements: tuple[str, ...] = ()

    @property
    def signature(self) -> Signature | None:
        return self.mlmodel.signature if self.mlmodel else None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else the file says, as names and texts."""
        if self.mlmodel is None:
            return []
        found = {
            _("Flavors"): ", ".join(self.mlmodel.flavors),
            "Python": self.mlmodel.python_version,
            "MLflow": self.mlmodel.mlflow_version,
            _("Created by the client"): self.mlmodel.created,
        }
        return [(name, text) for name, text in found.items() if text]


def contents_of(version: ModelVersion) -> Contents:
    """What the files of a version say; whoever fetched the version may read them. Never raises for what they hold."""
    try:
        return _read(folder_of_version(version))
    except (BrokenMLmodel, DomainError) as error:
        return Contents(problem=getattr(error, "message", "") or str(error))


def python_call(version: ModelVersion, contents: Contents) -> str:
    """Lines to paste that load the version and ask it for a prediction."""
    load = f"model = mlflow.pyfunc.load_model({json.dumps(version_uri(version))})"
    if not contents.example:
        return f"import mlflow\n\n{load}"
    imports, data = _python_data(json.loads(contents.example))
    return "\n".join(["import mlflow", *imports, "", load, f"data = {data}", "print(model.predict(data))"])


def curl_call(version: ModelVersion, contents: Contents) -> str:
    """Lines for a shell that serve the version on this machine and ask it; empty without an example."""
    if not contents.example:
        return ""
    serve = f"mlflow models serve -m {shlex.quote(version_uri(version))} -p {_PORT}"
    ask = f"curl http://127.0.0.1:{_PORT}/invocations -H 'Content-Type: application/json' -d"
    return f"{serve}\n\n{ask} {shlex.quote(contents.example)}"


def _python_data(body: Any) -> tuple[list[str], str]:
    """Imports and an expression for the data of a body of `/invocations`."""
    split = body.get("dataframe_split") if isinstance(body, dict) else None
    if isinstance(split, dict):
        return ["import pandas as pd"], f"pd.DataFrame({split.get('data')!r}, columns={split.get('columns')!r})"
    data = body.get("inputs", body) if isinstance(body, dict) else body
    if isinstance(data, list):
        return ["import numpy as np"], f"np.array({data!r})"
    return [], repr(data)


def _read(folder: ArtifactFolder) -> Contents:
    content = read_content(folder, FILE, MAX_BYTES)
    requirements = _lines(read_content(folder, ArtifactPath(("requirements.txt",)), _MOST_BYTES))
    if content is None:
        return Contents(problem="There is no MLmodel file in the version's folder", requirements=requirements)
    try:
        mlmodel = parse_mlmodel(content)
    except BrokenMLmodel as error:
        return Contents(problem=str(error), requirements=requirements)
    logged = _logged_example(folder, mlmodel)
    made_up = "" if logged else _made_up_example(mlmodel.signature)
    return Contents(mlmodel, "", logged or made_up, bool(made_up), requirements)


def _lines(content: bytes | None) -> tuple[str, ...]:
    lines = (content or b"").decode("utf-8", "replace").splitlines()[:_REQUIREMENTS_SHOWN]
    return tuple(line.strip()[:300] for line in lines if line.strip())


def _logged_example(folder: ArtifactFolder, mlmodel: MLmodel) -> str:
    """The example that was logged, as a body of `/invocations`; empty where there is none that can be shown."""
    example = mlmodel.input_example
    for name in (example.serving, example.path) if example else ():
        content = _small(folder, name)
        found = _as_body(content, is_body=example is not None and name == example.serving)
        if found:
            return found
    return ""


def _small(folder: ArtifactFolder, name: str) -> bytes:
    try:
        content = read_content(folder, ArtifactPath.parse(name), _MOST_BYTES) if name else None
    except InvalidInput:
        return b""
    return content if content and len(content) <= _MOST_BYTES else b""


def _as_body(content: bytes, *, is_body: bool) -> str:
    try:
        found = None if _is_deep(content) else json.loads(content or b"null")
    except ValueError:
        return ""
    if found is None:
        return ""
    if not is_body:
        found = {"dataframe_split": found} if _is_split(found) else {"inputs": found}
    return json.dumps(_shortened(found))


def _is_deep(content: bytes) -> bool:
    """More brackets are open at once than examples have: what is deep can be read and yet not be written."""
    steps = (1 if byte in b"[{" else -1 if byte in b"]}" else 0 for byte in content)
    return max(accumulate(steps), default=0) > _MAX_DEPTH


def _is_split(found: Any) -> bool:
    return isinstance(found, dict) and {"columns", "data"} <= found.keys()


def _shortened(found: Any) -> Any:
    """The first rows are enough for a call to copy."""
    if isinstance(found, dict) and _is_split(found.get("dataframe_split")):
        split = found["dataframe_split"]
        rows = split["data"][:_EXAMPLE_ROWS] if isinstance(split["data"], list) else split["data"]
        return {"dataframe_split": {"columns": split["columns"], "data": rows}}
    return found


def _made_up_example(signature: Signature | None) -> str:
    columns = signature.inputs if signature else ()
    if not columns or not all(column.name and column.type in _SAMPLES for column in columns):
        return ""
    row = [_SAMPLES[column.type] for column in columns]
    return json.dumps({"dataframe_split": {"columns": [column.name for column in columns], "data": [row]}})
