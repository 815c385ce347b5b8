"""The registry by three releases of the client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.clients import client_python, run_script
from tests.e2e.test_iris import RELEASES
from tests.servers import Server

SCRIPT = Path(__file__).parent / "scripts" / "registry_tour.py"
pytestmark = pytest.mark.client


@pytest.mark.parametrize("release", RELEASES)
def test_the_tour_of_the_registry(release: str, up: Server, tmp_path: Path) -> None:
    assert "toured" in run_script(client_python(release), SCRIPT, up.client_env(), tmp_path)
