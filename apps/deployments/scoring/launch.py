"""`PYTHON -I launch.py CONFIG.json`: start the scoring server from the folder of this file, wherever that is."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "slipway_scoring"


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: launch.py CONFIG.json", file=sys.stderr)  # noqa: T201
        return 2
    folder = Path(__file__).resolve().parent
    # Without -I Python puts the script's folder first, and our modules before the model's of the same names.
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None  # noqa: S101
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    code: int = importlib.import_module(PACKAGE + ".master").main(sys.argv[1])
    return code


if __name__ == "__main__":
    sys.exit(main())
