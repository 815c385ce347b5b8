"""Parts of MLflow that are imported with it and that no instance uses: imported when something is asked of them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

#: A quarter of the time that `import mlflow` takes is theirs, with fastapi and what else they import.
_LATER = {"mlflow.genai", "mlflow.gateway"}


class Later:
    """A finder of these modules alone."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _LATER:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def install() -> None:
    sys.meta_path.insert(0, Later())
