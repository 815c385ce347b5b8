"""The top level is as agreed, and our `platform/` hides nothing of the standard library's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AGREED = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "apps",
    "compose.yaml",
    "deploy",
    "docs",
    "manage.py",
    "platform",
    "pyproject.toml",
    "static",
    "templates",
    "tests",
}
MADE_BY_TOOLS = {"uv.lock", "build", "dist"}


def test_platform_is_a_folder_and_the_module_the_standard_librarys() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    spec = find_spec("platform")
    assert spec is not None
    assert spec.origin is not None
    assert not Path(spec.origin).is_relative_to(ROOT / "platform")


def test_the_top_level_holds_what_was_agreed() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - MADE_BY_TOOLS == AGREED
