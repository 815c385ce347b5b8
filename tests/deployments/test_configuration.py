"""What a revision may be given to run with."""

from __future__ import annotations

import subprocess

import pytest

from apps.core.errors import InvalidInput
from apps.deployments.configuration import Config

# Each lets a program run something before what it was started for, or in its place.
_INJECTING = ["BASH_ENV", "BASHOPTS", "SHELLOPTS", "PS4", "LD_PRELOAD", "LD_AUDIT", "GCONV_PATH", "PYTHONSTARTUP"]
_OF_SERVERS = ["UVICORN_UDS", "UVICORN_LOG_CONFIG", "GUNICORN_CMD_ARGS", "SLIPWAY_CONFIG"]


@pytest.mark.parametrize("name", [*_INJECTING, *_OF_SERVERS])
def test_variables_bring_no_code_beside_the_version(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} can't be set"):
        Config.from_json({"env_vars": {name: "x"}})


def test_a_shell_runs_what_it_is_told_by_a_variable() -> None:
    """Instances begin in one: that is why."""
    told = {"BASH_ENV": "$(echo approved by nobody >&2)"}
    done = subprocess.run(["/bin/bash", "-c", "exec true"], env=told, capture_output=True, check=True)
    assert b"approved by nobody" in done.stderr


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
def test_values_are_such_that_a_process_can_have_them(value: str) -> None:
    with pytest.raises(InvalidInput, match="A can't be set"):
        Config.from_json({"env_vars": {"A": value}})


@pytest.mark.parametrize("name", ["ENV", "LEVEL", "MLFLOW_TRACKING_URI", "http_proxy"])
def test_others_are_the_models(name: str) -> None:
    assert Config.from_json({"env_vars": {name: "x"}}).env_vars == {name: "x"}
