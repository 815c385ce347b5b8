"""A model that does what it is told, as hostile ones do, and what runs it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.deployments.configuration import Config
from apps.deployments.environments import needs_of_model
from apps.deployments.targets.base import Observation, Spec, Started
from apps.deployments.targets.process import ProcessTarget
from tests.waiting import until

_MLMODEL = """
flavors:
  python_function:
    loader_module: obeying
    code: code
    data: data
    env: {virtualenv: python_env.yaml}
    python_version: 3.11.2
signature:
  inputs: '[{"type": "string", "name": "x", "required": true}]'
  outputs: '[{"type": "string", "required": true}]'
  params: null
"""
# Evaluates what it is sent, and answers with what came of it; at its start it does what the variable AT_START says.
_CODE = """
import os, signal, subprocess, socket, sys, threading, time


class Obeying:
    def predict(self, data, params=None):
        return [found(text) for text in data["x"]]


def found(text):
    try:
        return str(eval(text))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _load_pyfunc(path):
    exec(os.environ.get("AT_START", ""), globals())
    return Obeying()
"""


def make_model(folder: Path) -> Path:
    """Its folder."""
    for name, text in {
        "MLmodel": _MLMODEL,
        "code/obeying.py": _CODE,
        "data/weights.txt": "2\n",
        "requirements.txt": "mlflow-skinny\npandas\nnumpy\n",
        "python_env.yaml": "dependencies:\n- -r requirements.txt\n",
    }.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


@dataclass
class Serving:
    """A target, and what was started there."""

    target: ProcessTarget
    model: Path
    started: dict[int, Started] = field(default_factory=dict)

    def spec(
        self, number: int = 1, at_start: str = "", *, key: str = "", bind: str | None = None, **config: Any
    ) -> Spec:
        """Of an instance of the model."""
        variables = {**config.pop("env_vars", {}), **({"AT_START": at_start} if at_start else {})}
        given = Config.from_json({**config, "env_vars": variables})
        needs = needs_of_model(self.model)
        return Spec(number, "iris", 1, "iris", 1, "a" * 64, self.model, needs, given, key, bind)

    def start(self, number: int = 1, at_start: str = "", **more: Any) -> Started:
        self.started[number] = self.target.start(self.spec(number, at_start, **more))
        return self.started[number]

    def seen(self, number: int = 1) -> Observation:
        """What is there now."""
        return self.target.observe({number: self.started[number].handle})[number]

    def until_ready(self, number: int = 1) -> Observation:
        """Once it answers; a test whose instance ends before fails, with its log."""

        def is_ready() -> bool:
            seen = self.seen(number)
            assert seen.is_alive, (seen, self.log(number))
            return seen.is_ready

        until(is_ready)
        return self.seen(number)

    def until_over(self, number: int = 1) -> Observation:
        """Once nothing of it runs."""
        until(lambda: not self.seen(number).is_alive)
        return self.seen(number)

    def log(self, number: int = 1) -> str:
        return self.target.log(self.started[number].handle, 0, 10_000_000).text

    def ask(self, expression: str, number: int = 1, headers: Mapping[str, str] | None = None) -> str:
        """What the model finds."""
        status, text = self.post(expression, number, headers)
        assert status == 200, text
        found: str = json.loads(text)["predictions"][0]
        return found

    def post(self, expression: str, number: int = 1, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        body = json.dumps({"dataframe_split": {"columns": ["x"], "data": [[expression]]}})
        with Calling(self.started[number].address) as caller:
            caller.request("POST", "/invocations", body, {"Content-Type": "application/json", **(headers or {})})
            answer = caller.getresponse()
            return answer.status, answer.read().decode()

    def close(self) -> None:
        """End all, and leave nothing."""
        for started in self.started.values():
            self.target.end(started.handle, 0)
        for number in self.started:
            self.until_over(number)
        for started in self.started.values():
            self.target.forget(started.handle)


class Calling(http.client.HTTPConnection):
    """A connection to an instance's address."""

    def __init__(self, address: str) -> None:
        super().__init__(address.removeprefix("http://") if address.startswith("http:") else "instance", timeout=60)
        self._path = address.removeprefix("unix:") if address.startswith("unix:") else None

    def connect(self) -> None:
        if self._path is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def __enter__(self) -> Calling:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
