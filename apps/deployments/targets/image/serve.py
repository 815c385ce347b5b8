"""The program of a container that serves a model: `serve.py [serve | healthy]`.

It is told what to do by `config.json` beside it, in the shape of `scoring/config.py`, then by what `SLIPWAY_CONFIG`
holds (an object of the same shape, whose keys win), then by single variables: `SLIPWAY_PORT`, `SLIPWAY_HOST`,
`SLIPWAY_WORKERS`, `SLIPWAY_TIMEOUT`, `SLIPWAY_CONCURRENCY`, `SLIPWAY_SECRET`. What SageMaker and Azure ML set is
understood too. Only the standard library: it runs in the model's environment.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PORT = 8080
#: Where platforms put a model that is not in the image.
_MOUNTED = "/opt/ml/model"
_NUMBERS = {
    "workers": ("SLIPWAY_WORKERS", "SAGEMAKER_MODEL_SERVER_WORKERS"),
    "timeout_s": ("SLIPWAY_TIMEOUT", "SAGEMAKER_MODEL_SERVER_TIMEOUT"),
    "concurrency": ("SLIPWAY_CONCURRENCY",),
}
_WRONG, _CAN_T_LISTEN = 2, 4


def main(arguments: list[str]) -> int:
    """Become the server, or look whether it answers."""
    what = arguments[0] if arguments else "serve"
    if what not in ("serve", "healthy") or len(arguments) > 1:
        return refuse("it is started as: serve, or healthy", _WRONG)
    try:
        config = configuration(os.environ)
    except (OSError, ValueError) as error:
        return refuse(f"its configuration is wrong: {error}", _WRONG)
    return serve(config) if what == "serve" else healthy(config)


def configuration(given: Any) -> dict[str, Any]:
    """What it is told. Raises OSError or ValueError."""
    config: dict[str, Any] = json.loads((HERE / "config.json").read_text("utf-8"))
    more = json.loads(given.get("SLIPWAY_CONFIG") or "{}")
    if not isinstance(more, dict):
        raise ValueError("SLIPWAY_CONFIG holds no object")
    config.update(more)
    for key, names in _NUMBERS.items():
        for name in names:
            if given.get(name):
                config[key] = _number(name, given[name])
                break
    if given.get("SLIPWAY_SECRET"):
        config["secret"] = given["SLIPWAY_SECRET"]
    config["model"] = _model(given, config)
    if "unix" not in config.get("listen", {}):
        port = given.get("SLIPWAY_PORT") or given.get("SAGEMAKER_BIND_TO_PORT")
        usual = config.get("listen", {})
        config["listen"] = {
            "host": given.get("SLIPWAY_HOST") or usual.get("host", "0.0.0.0"),  # noqa: S104 - a container's own
            "port": _number("SLIPWAY_PORT", port) if port else usual.get("port", PORT),
        }
    return config


def serve(config: dict[str, Any]) -> int:
    """Open the socket, and become the scoring server."""
    try:
        listener = opened(config["listen"])
    except OSError as error:
        return refuse(f"{config['listen']} can't be listened on: {error.strerror or error}", _CAN_T_LISTEN)
    os.set_inheritable(listener.fileno(), True)
    config["listen"] = {"fd": listener.fileno()}
    number, file = tempfile.mkstemp(prefix="slipway-", suffix=".json")
    with os.fdopen(number, "w") as content:
        json.dump(config, content)
    # -u: what a model prints is in the log at once.
    is_mlflows = config.get("server") == "mlflow"
    program = HERE / "mlflow_server.py" if is_mlflows else HERE / "scoring" / "launch.py"
    return os.execv(sys.executable, [sys.executable, "-I", "-u", str(program), file])  # noqa: S606


def healthy(config: dict[str, Any]) -> int:
    """0 where the server answers its health check."""
    host, port = config["listen"].get("host", ""), config["listen"].get("port", PORT)
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104
    address = f"http://[{host}]:{port}/health" if ":" in host else f"http://{host}:{port}/health"
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310
            return 0
    except (OSError, urllib.error.URLError):
        return 1


def opened(listen: dict[str, Any]) -> socket.socket:
    """The listening socket: a path that the owner alone may connect to, or a host and port."""
    if listen.get("unix"):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(listen["unix"])
        finally:
            os.umask(before)
    else:
        family = socket.AF_INET6 if ":" in listen["host"] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listen["host"], listen["port"]))
    listener.listen(1024)
    return listener


def refuse(why: str, code: int) -> int:
    """Say why it can't be, as its log's last line."""
    sys.stderr.write(f"[slipway] The server can't be started: {why}.\n")
    return code


def _model(given: Any, config: dict[str, Any]) -> str:
    places = (given.get("SLIPWAY_MODEL"), given.get("AZUREML_MODEL_DIR"), _MOUNTED)
    for place in places:
        if place and (Path(place) / "MLmodel").is_file():
            return str(place)
    named = config.get("model", "model")
    # In the image it lies beside the program, in a bundle beside the program's folder.
    return str(HERE.parent / named if (HERE.parent / named / "MLmodel").is_file() else HERE / named)


def _number(name: str, written: str) -> int:
    if not written.isdigit() or int(written) < 1:
        raise ValueError(f"{name}: {written!r} is no number above 0")
    return int(written)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
