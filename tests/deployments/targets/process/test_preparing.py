"""What instances run in is made before they start, and that can be left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from apps.core.errors import Unavailable
from apps.deployments.targets.base import NotPrepared
from apps.runtime.environments import Needs
from tests.deployments.targets.process.making import Serving


def test_it_is_made_once_and_told(sandboxed: Serving, tmp_path: Path) -> None:
    target = replace(sandboxed.target, environments=tmp_path)
    spec = replace(sandboxed.spec(), needs=Needs())
    with pytest.raises(NotPrepared):
        target.start(spec)
    said: list[str] = []
    target.prepare(spec, said.append, lambda: False)
    assert said[0] == "Preparing the environment." and said[-1] == "The environment was built."
    target.prepare(spec, said.append, lambda: False)
    assert said[-1] == "The environment was there already."
    assert not list((target.root / "preparing").iterdir())


def test_who_wants_it_no_more_leaves_it(sandboxed: Serving, tmp_path: Path) -> None:
    target = replace(sandboxed.target, environments=tmp_path)
    spec = replace(sandboxed.spec(), needs=Needs())
    with pytest.raises(Unavailable, match="cancelled"):
        target.prepare(spec, lambda _: None, lambda: True)
    with pytest.raises(NotPrepared):
        target.start(spec)


def test_a_host_that_lacks_the_sandbox_that_is_wanted_starts_nothing(
    plain: Serving, settings: pytest.FixtureRequest
) -> None:
    settings.PROJECT_ISOLATION = "sandboxed"  # type: ignore[attr-defined]
    assert plain.target.lacks() == ("SLIPWAY_ISOLATION wants a sandbox, and this host has none.",)
    with pytest.raises(Unavailable, match="wants a sandbox"):
        plain.start()
