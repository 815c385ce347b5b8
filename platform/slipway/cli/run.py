"""`slipway run`: an entry point of an MLproject, here or on a server. Needs a server and no settings of one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from slipway.cli import queued
from slipway.paths import DataFolder


def main(arguments: Sequence[str]) -> int:
    """Run and leave with the run's exit code; 2 where it can't begin."""
    options = _parser().parse_args(arguments)
    from apps.core.errors import DomainError
    from apps.projects.running.local import Wanted, run_here
    from apps.projects.running.tracking import tracking_from_environment
    from apps.runtime.environments import Cache

    if options.backend == "slipway":
        return _queued(options)
    wanted = Wanted(
        uri=options.uri,
        entry_point=options.entry_point,
        params=dict(options.param),
        version=options.version,
        experiment=options.experiment_name,
        experiment_id=options.experiment_id,
        run_name=options.run_name,
        uses_environment=options.env_manager == "uv",
        docker_args=dict(options.docker_args),
    )
    try:
        return run_here(wanted, tracking_from_environment(), Cache(DataFolder.of_environment().environments), _say)
    except DomainError as error:
        _say(f"slipway run: {error.message}")
        return 2


def _queued(options: argparse.Namespace) -> int:
    from apps.core.errors import DomainError

    try:
        return queued.main(options, _say)
    except DomainError as error:
        _say(f"slipway run: {error.message}")
        return 2


def _say(line: str) -> None:
    """What we say goes beside the run's own output, not into it."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway run", description="Run an entry point of an MLproject.")
    parser.add_argument("uri", help="a folder, a zip file or a Git repository; #folder names one inside of it")
    parser.add_argument("-e", "--entry-point", default="", help="default: main, else the only one")
    parser.add_argument("-P", "--param", action="append", type=_pair, default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "-A",
        "--docker-args",
        action="append",
        type=_argument,
        default=[],
        metavar="NAME=VALUE",
        help="for docker run, where the project names an image, such as gpus=all",
    )
    parser.add_argument("-v", "--version", default="", help="a commit, branch or tag of a Git repository")
    experiment = parser.add_mutually_exclusive_group()
    experiment.add_argument("--experiment-name", default="", help="made where it isn't there")
    experiment.add_argument("--experiment-id", default="")
    parser.add_argument("--run-name", default="")
    parser.add_argument(
        "--env-manager",
        choices=("uv", "local"),
        default="uv",
        help="local: the Python that is active, nothing is built",
    )
    parser.add_argument(
        "-b",
        "--backend",
        choices=("local", "slipway"),
        default="local",
        help="slipway: on the workers of the server of MLFLOW_TRACKING_URI",
    )
    queued.add_options(parser)
    return parser


def _argument(text: str) -> tuple[str, str]:
    """Some have no value."""
    name, _, value = text.partition("=")
    return name, value


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
