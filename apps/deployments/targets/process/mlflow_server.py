"""Starts MLflow's own scoring server on an open socket: `mlflow_server.py CONFIG.json`, of the scoring server's shape.

A program of its own, run with the model's environment; mlflow alone is imported of what isn't the standard library.
Each release of mlflow says itself how its server is started, so it is asked, and this becomes that.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

_CAN_T_START = 3
# Asked for in place of the open socket, whose option then takes its place.
_HOST, _PORT = "127.0.0.1", 1
# The number of the first socket that systemd hands on.
_FIRST = 3


def main(file: str) -> int:
    """Become the server, or say why that can't be."""
    config: dict[str, Any] = json.loads(Path(file).read_text())
    try:
        from mlflow.pyfunc import scoring_server
    except ImportError as error:
        return _refuse(f"it needs more than the environment has ({error}); name mlflow among the model's requirements")
    asked: dict[str, Any] = {"nworkers": config["workers"], "timeout": int(config["timeout_s"])}
    asked |= {"host": _HOST, "port": _PORT}
    said, variables = scoring_server.get_cmd(config["model"], **asked)
    command = _on_open_socket(said, config["listen"]["fd"], variables)
    if not command:
        return _refuse(f"this release starts it in a way that is not known here: {said}")
    # It is a line for a shell, of a program that this Python has as a module.
    line = f"exec {shlex.quote(sys.executable)} -m {command}"
    return os.execvpe("bash", ["bash", "-c", line], variables)  # noqa: S606


def _on_open_socket(command: str, number: int, variables: dict[str, str]) -> str:
    """The same for a socket that is open, as uvicorn and gunicorn take it; empty where it is neither's."""
    uvicorns, gunicorns = f"--host {_HOST} --port {_PORT}", f"-b {_HOST}:{_PORT}"
    if uvicorns in command:
        return command.replace(uvicorns, f"--fd {number} --no-access-log")
    if gunicorns in command:
        # As from systemd: by its number alone it would remove the socket's file when it ends, which is not its own.
        os.dup2(number, _FIRST, inheritable=True)
        variables |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "GUNICORN_CMD_ARGS": ""}
        return command.replace(gunicorns, "")
    return ""


def _refuse(why: str) -> int:
    sys.stderr.write(f"[slipway] MLflow's scoring server can't be started: {why}.\n")
    return _CAN_T_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
