from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import InvalidInput, Unavailable
from apps.projects.running.local import Wanted, run_here
from apps.projects.running.tracking import Tracking
from apps.runtime.environments import Cache

# Nobody listens there: who calls it gets another error than the one expected.
NOBODY = Tracking("http://127.0.0.1:9", {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("env_vars: [NOT_SET_ANYWHERE]\nentry_points: {main: {command: echo}}", "NOT_SET_ANYWHERE"),
        ("entry_points: {main: {command: 'echo {a}', parameters: {a: string}}}", "No value for a"),
        ("docker_env: {image: x, environment: [NOT_SET_HERE]}\nentry_points: {main: {command: echo}}", "NOT_SET_HERE"),
        ("python_env: missing.yaml\nentry_points: {main: {command: echo}}", "has no file"),
    ],
)
def test_what_can_not_begin_calls_no_server(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text(text)
    with pytest.raises(InvalidInput, match=words):
        run_here(Wanted(str(tmp_path)), NOBODY, Cache(tmp_path / "cache"), print)


def test_without_an_engine_a_project_with_an_image_makes_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    (tmp_path / "MLproject").write_text("docker_env: {image: x}\nentry_points: {main: {command: echo}}")
    with pytest.raises(Unavailable, match="no Docker engine answers"):
        run_here(Wanted(str(tmp_path)), NOBODY, Cache(tmp_path / "cache"), print)
