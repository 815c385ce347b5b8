from __future__ import annotations

from pathlib import Path

import pytest

from tests.slipway.backup.installations import Installation, seeded


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An embedded installation with the demo's data, which tests leave as it is."""
    return seeded(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture(scope="session")
def archive(demo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it, with its key."""
    file = tmp_path_factory.mktemp("archive") / "demo.slipway"
    demo.slipway("backup", file, "--with-key")
    return file
