"""Environments with other releases of the client, made once by uv and kept below `.cache/`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "clients"
IRIS = ROOT / "docs" / "examples" / "iris"


def client_python(release: str, *more: str) -> Path:
    """The interpreter of an environment with `mlflow==release` and what the iris example needs."""
    name = "-".join([release.replace(".*", ""), *more]).replace("=", "").replace("[", "").replace("]", "")
    folder = CACHE / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        if shutil.which("uv") is None:
            pytest.skip("uv is not on PATH, so other releases of the client can't be installed")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["uv", "venv", "--no-config", "--quiet", folder], check=True, timeout=120)
        wanted = [f"mlflow=={release}", "scikit-learn", "pandas", "matplotlib", *more]
        # No configuration: the pins of this project are not for other releases.
        subprocess.run(
            ["uv", "pip", "install", "--no-config", "--quiet", "--python", python, *wanted], check=True, timeout=900
        )
        ready.touch()
    return python


def run_script(python: Path, script: Path, env: dict[str, str], cwd: Path, *arguments: str) -> str:
    """What a script prints; fails with its output when it fails."""
    done = subprocess.run(
        [python, script, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-6000:]
    return done.stdout.strip()
