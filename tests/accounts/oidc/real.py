"""The package `oidc-provider` of npm as the provider of a test: not ours, and certified to keep to the standard."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import running
from tests.waiting import until

HERE = Path(__file__).parent
People = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class RealProvider:
    """Where it is, and how the claims of its people are set anew."""

    issuer: str

    def set_people(self, **people: dict[str, Any]) -> None:
        """From the next sign-in on they are these."""
        requests.post(f"{self.issuer}/people", json=people, timeout=10).raise_for_status()


def install(home: Path) -> None:
    """Fetch the package; skips where Node or it can't be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(HERE / name, home / name)
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"oidc-provider is not there: {done.stderr.strip().partition(chr(10))[0]}")


@contextmanager
def real_provider(home: Path, port: int, *, redirect: str, people: People) -> Iterator[RealProvider]:
    """A provider that runs on `port`, out of a folder that `install` filled, and sends people back to `redirect`."""
    said = json.dumps({"port": port, "redirect": redirect, "people": people})
    with running(["node", str(home / "provider.mjs"), said], {"PATH": _path()}, home / "provider.log") as server:
        provider = RealProvider(f"http://127.0.0.1:{port}")
        until(lambda: server.process.poll() is not None or "listening" in (home / "provider.log").read_text())
        assert server.process.poll() is None, (home / "provider.log").read_text()
        yield provider


def _path() -> str:
    return str(Path(shutil.which("node") or "").parent)
