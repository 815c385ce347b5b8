"""Calls of a deployment to copy, with the input example of the model that it serves."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from apps.deployments.addresses import serving_path
from apps.deployments.models import Deployment
from apps.registry.models import ModelVersion
from apps.registry.selectors.contents import Contents, contents_of

_NO_EXAMPLE = {"inputs": [[0.0]]}


@dataclass(frozen=True, slots=True)
class Calls:
    """`body` is JSON for people. `is_known`: it came of the model; else it only shows the form of one."""

    url: str
    body: str
    curl: str
    python: str
    client: str
    is_known: bool
    is_made_up: bool
    column_names: tuple[str, ...] = ()


def calls_of(deployment: Deployment, version: ModelVersion | None, site: str) -> Calls:
    """For who may read the deployment. Reads the version's files; never raises for what they hold."""
    contents = contents_of(version) if version is not None and not version.is_broken else Contents()
    body: Any = json.loads(contents.example) if contents.example else _NO_EXAMPLE
    url = site + serving_path(deployment)
    columns = contents.signature.inputs if contents.signature else ()
    return Calls(
        url=url,
        body=pretty(body),
        curl=_curl(url, body),
        python=_python(url, body),
        client=_client(site, deployment.name, body),
        is_known=bool(contents.example),
        is_made_up=contents.is_made_up,
        column_names=tuple(column.name for column in columns if column.name),
    )


def pretty(body: Any) -> str:
    """JSON with a row on each line, since rows are what people change."""
    text = json.dumps(body, ensure_ascii=False)
    if len(text) <= 72 or not isinstance(body, dict):
        return text
    parts = [f"  {json.dumps(key, ensure_ascii=False)}: {_part(value, '  ')}" for key, value in body.items()]
    return "{\n" + ",\n".join(parts) + "\n}"


def _part(value: Any, indent: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    deeper = indent + "  "
    if len(text) <= 72:
        return text
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(key, ensure_ascii=False)}: {_part(one, deeper)}" for key, one in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        return "[\n" + ",\n".join(f"{deeper}{json.dumps(one, ensure_ascii=False)}" for one in value) + f"\n{indent}]"
    return text


def _curl(url: str, body: Any) -> str:
    return (
        f"curl {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body))}"
    )


def _python(url: str, body: Any) -> str:
    return (
        "import os\n\nimport requests\n\n"
        "answer = requests.post(\n"
        f"    {json.dumps(url)},\n"
        '    headers={"Authorization": f"Bearer {os.environ[\'SLIPWAY_TOKEN\']}"},\n'
        f"    json={body!r},\n"
        ")\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["predictions"])'
    )


def _client(site: str, name: str, body: Any) -> str:
    imports, data = _data(body)
    lines = [
        f"# MLFLOW_TRACKING_URI={site} and MLFLOW_TRACKING_TOKEN are set",
        *imports,
        "from mlflow.deployments import get_deploy_client",
        "",
        'client = get_deploy_client("slipway")',
        f"print(client.predict(endpoint={json.dumps(name)}, inputs={data}))",
    ]
    return "\n".join(lines)


def _data(body: Any) -> tuple[list[str], str]:
    split = body.get("dataframe_split") if isinstance(body, dict) else None
    if isinstance(split, dict):
        return ["import pandas as pd"], f"pd.DataFrame({split.get('data')!r}, columns={split.get('columns')!r})"
    data = body.get("inputs", body) if isinstance(body, dict) else body
    if isinstance(data, list):
        return ["import numpy as np"], f"np.array({data!r})"
    return [], repr(data)
