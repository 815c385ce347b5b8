"""An installation by compose.yaml, as an operator makes it: unpacked, `.env` filled in, secrets made, `up --wait`."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compose.engine import DOCKER, ROOT, Engine, said

URL = "https://localhost"
ADMIN = "admin"
# Above what clients send in parts where they may.
LARGE = 600 * 1024 * 1024


@dataclass
class Stack:
    """A folder with what the bundle holds. `settings` go into `.env`."""

    engine: Engine
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    # How long the first start took.
    seconds: float = 0

    def unpack(self) -> None:
        """What an operator gets, and does before the first start."""
        for name in ("compose.yaml", ".env.example"):
            shutil.copy(ROOT / name, self.folder)
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        self.begin()

    def begin(self) -> None:
        """`.env` and the secrets."""
        self.write_env()
        said(["sh", "deploy/secrets.sh"], self.engine.env, cwd=self.folder)

    def write_env(self) -> None:
        """`.env` from the example, with our settings."""
        lines = (self.folder / ".env.example").read_text().splitlines()
        wanted = {"SLIPWAY_PUBLIC_URL": URL, **self.settings}
        kept = [line for line in lines if line.partition("=")[0].lstrip("# ") not in wanted]
        (self.folder / ".env").write_text("\n".join([*kept, *(f"{name}={value}" for name, value in wanted.items())]))

    def tried(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`docker compose ARGUMENTS`, whatever comes of it."""
        command = [DOCKER, "compose", "--progress", "plain", *arguments]
        return subprocess.run(
            command, env=self.engine.env, cwd=self.folder, capture_output=True, text=True, check=False, timeout=900
        )

    def compose(self, *arguments: str) -> str:
        """What `docker compose ARGUMENTS` prints; raises with the services' last words where it fails."""
        done = self.tried(*arguments)
        if done.returncode:
            logs = self.tried("logs", "--tail", "30", "--no-color").stdout
            raise AssertionError(f"compose {' '.join(arguments)}:\n{done.stdout}{done.stderr}\n{logs}"[-12000:])
        return done.stdout.strip()

    def up(self) -> float:
        """Start all and wait until it is healthy; the seconds that took."""
        began = time.monotonic()
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "600")
        return time.monotonic() - began

    def slipway(self, *arguments: str) -> str:
        """What a command of ours prints, in a web server's container."""
        return self.compose("exec", "-T", "web", "slipway", *arguments)

    def containers(self) -> list[dict[str, Any]]:
        """What runs or ran, as Compose lists it."""
        return [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines()]

    def secret(self, name: str) -> str:
        """What `deploy/secrets.sh` made."""
        return (self.folder / "secrets" / name).read_text()


@contextmanager
def stack(engine: Engine, folder: Path, **settings: str) -> Iterator[Stack]:
    """An unpacked installation, which nothing is left of at the end."""
    made = Stack(engine, folder, settings)
    made.unpack()
    try:
        yield made
    finally:
        made.tried("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10")
