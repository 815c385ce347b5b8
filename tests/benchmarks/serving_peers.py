"""Servers of one model beside ours: each in an environment of its own, made by uv and kept for the next time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import apps.deployments.scoring as package

LAUNCH = Path(package.__file__).with_name("launch.py")
_MODEL = ("mlflow==3.17.2", "scikit-learn", "pandas")

BARE = """
import os, pickle, orjson, numpy, sys
with open(os.path.join(os.environ["MODEL"], "model.pkl"), "rb") as file:
    import cloudpickle
    estimator = cloudpickle.load(file)
vars(estimator).pop("feature_names_in_", None)

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body")
    if scope["path"] == "/health":
        status, answer = 200, b"ok"
    else:
        rows = orjson.loads(body)["dataframe_split"]["data"]
        answer = orjson.dumps({"predictions": estimator.predict(numpy.array(rows)).tolist()})
        status = 200
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
"""

BENTO = """
from __future__ import annotations
import os, cloudpickle, numpy, bentoml, typing

@bentoml.service(traffic={"timeout": 60})
class Model:
    def __init__(self):
        with open(os.path.join(os.environ["MODEL"], "model.pkl"), "rb") as file:
            self.estimator = cloudpickle.load(file)
        vars(self.estimator).pop("feature_names_in_", None)

    @bentoml.api(route="/invocations")
    def predict(self, dataframe_split: typing.Dict[str, typing.Any]) -> typing.Dict[str, typing.Any]:
        return {"predictions": self.estimator.predict(numpy.array(dataframe_split["data"])).tolist()}
"""


@dataclass(frozen=True)
class Peer(ABC):
    """`needs` is what its environment holds, `environment` the name of that; several may share it."""

    name: str
    needs: tuple[str, ...]
    environment: str = "plain"

    def python(self, environments: Path) -> Path:
        """Of its environment, which is made where it isn't there. Raises CalledProcessError where it can't be."""
        folder = environments / self.environment
        python = folder / "bin" / "python"
        if not (folder / "made").exists():
            subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
            install = ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *self.needs]
            # Not from the repository, whose pins are not for them.
            subprocess.run(install, check=True, cwd=folder)
            (folder / "made").touch()
        return python

    def start(self, python: Path, model: Path, where: Path, port: int, workers: int) -> subprocess.Popen[bytes]:
        """Its process, serving the folder of a model. `where` is a folder for its files."""
        command, environ = self.command(python, model, where, port, workers)
        environ = {**os.environ, "MODEL": str(model), "PATH": f"{python.parent}:{os.environ['PATH']}", **environ}
        with (where / "log").open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=where,
                env=environ,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @abstractmethod
    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        """How it is started, and with what environment variables besides ours."""


class Ours(Peer):
    batching = True

    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        config = {
            "model": str(model),
            "listen": {"port": port},
            "workers": workers,
            "batching": {} if self.batching else {"enabled": False},
        }
        (where / "config.json").write_text(json.dumps(config))
        return [str(python), "-I", str(LAUNCH), str(where / "config.json")], {}


class OursSingly(Ours):
    batching = False


def _uvicorn(python: Path, port: int, workers: int, app: str) -> list[str]:
    quiet = ["--no-access-log", "--log-level", "warning"]
    return [str(python), "-m", "uvicorn", "--port", str(port), "--workers", str(workers), *quiet, app]


class Bare(Peer):
    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        (where / "bare.py").write_text(BARE)
        return _uvicorn(python, port, workers, "bare:app"), {}


class Mlflow(Peer):
    """What `mlflow models serve --env-manager local` starts."""

    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        app = "mlflow.pyfunc.scoring_server.app:app"
        return _uvicorn(python, port, workers, app), {"__pyfunc_model_path__": str(model)}


class MlServer(Peer):
    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": workers}
        settings = {"name": "m", "implementation": "mlserver_mlflow.MLflowRuntime", "parameters": {"uri": str(model)}}
        (where / "settings.json").write_text(json.dumps({"debug": False, "host": "127.0.0.1", **ports}))
        (where / "model-settings.json").write_text(json.dumps(settings))
        return [str(python.with_name("mlserver")), "start", "."], {}


class Bento(Peer):
    def command(
        self, python: Path, model: Path, where: Path, port: int, workers: int
    ) -> tuple[list[str], Mapping[str, str]]:
        (where / "service.py").write_text(BENTO.replace("traffic=", f"workers={workers}, traffic="))
        home = {"BENTOML_HOME": str(where / "home"), "BENTOML_DO_NOT_TRACK": "true"}
        return [str(python.with_name("bentoml")), "serve", "service:Model", "--port", str(port)], home


_SERVER = ("uvicorn", "httptools", "uvloop", "orjson")
PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Ours("ours", (*_MODEL, *_SERVER)),
        OursSingly("singly", (*_MODEL, *_SERVER)),
        Bare("bare", (*_MODEL, *_SERVER)),
        Mlflow("mlflow", (*_MODEL, *_SERVER)),
        # Its workers stop at their start with newer releases of uvloop.
        MlServer("mlserver", (*_MODEL, "mlserver", "mlserver-mlflow", "uvloop<0.22"), "mlserver"),
        Bento("bentoml", (*_MODEL, "bentoml"), "bentoml"),
    )
}
