"""The images of an installation: ours by its Dockerfile, and stand-ins under the names that compose.yaml asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tests.compose.engine import CACHE, ROOT, Engine

BASE = "python:3.12-slim"
OURS = "slipway"
_STANDINS = Path(__file__).parent / "standins"
_PACKAGES = ("mlflow-skinny", "pandas", "numpy", "httptools", "orjson", "uvloop")
_DEBIAN = "http://deb.debian.org/debian"
_TARGETS = {"postgres": "postgres", "valkey/valkey": "valkey", "chrislusf/seaweedfs": "seaweedfs", "caddy": "caddy"}


def build_all(engine: Engine) -> None:
    """Make what is missing or has changed. Needs Debian's archive and a package index; minutes at the first time."""
    if not engine.has(BASE):
        _import_base(engine)
    for image, target in upstream().items():
        _build(engine, image, _STANDINS / "Dockerfile", _STANDINS, "--target", target)
    _build(engine, OURS, ROOT / "platform" / "Dockerfile", ROOT)
    # What was built before goes, or each change of a file would leave a whole image behind.
    engine.docker("image", "prune", "--force")


def fetch_wheels() -> Path:
    """A folder of packages that the tests' deployments need, as an operator without an index would carry it in."""
    folder = CACHE / "wheels"
    if not (folder / "ready").exists():
        tool = ["uvx", "--quiet", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", "3.11"]
        subprocess.run([*tool, "--dest", str(folder), *_PACKAGES], check=True, timeout=600, capture_output=True)
        (folder / "ready").touch()
    return folder


def upstream() -> dict[str, str]:
    """The images of others that compose.yaml starts without a profile, with the stand-in for each."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    named = [service["image"] for service in services if not service.get("profiles")]
    return {image: _TARGETS[image.rpartition(":")[0]] for image in dict.fromkeys(named) if not image.startswith("$")}


def _build(engine: Engine, image: str, dockerfile: Path, context: Path, *more: str) -> None:
    engine.docker("build", "--network", "host", "--quiet", "--tag", image, "--file", dockerfile, *more, context)


def _import_base(engine: Engine) -> None:
    """Debian 12 with its Python, under the name of the image that ours starts from."""
    with TemporaryDirectory(prefix="slipway-base-", dir=CACHE) as folder:
        root = Path(folder) / "root"
        wanted = "python3,python3-venv,python3-pip,ca-certificates"
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={wanted}", "bookworm", root, _DEBIAN],
            check=True, capture_output=True,
        )  # fmt: skip
        _make_like_upstream(root)
        archive = Path(folder) / "base.tar"
        subprocess.run(["tar", "--numeric-owner", "-C", root, "-cf", archive, "."], check=True)
        engine.docker("import", *_changes(), archive, BASE)


def _make_like_upstream(root: Path) -> None:
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder / "partial").mkdir(parents=True)
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    # Whom this host trusts beyond the usual, to fetch packages with.
    if bundle := os.environ.get("SSL_CERT_FILE"):
        shutil.copyfile(bundle, root / "etc/ssl/certs/ca-certificates.crt")


def _changes() -> list[str]:
    trust = "/etc/ssl/certs/ca-certificates.crt"
    return ["--change", f"ENV SSL_CERT_FILE={trust} PIP_CERT={trust} LANG=C.UTF-8", "--change", 'CMD ["python3"]']
