"""Loads a model and scores its example, inside of a build: `child.py MODEL RESULT TIMES`.

A program of its own, run with the model's environment; mlflow alone is imported of what isn't the standard library. It
says in RESULT, as JSON, what it found. What the model does, it does here and nowhere else.
"""

# ruff: noqa: T201

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path
from typing import Any

# Scoring is repeated as often as asked, but no longer than this.
_SECONDS = 20.0
_MOST_PACKAGES = 1000
_LONGEST = 2000


def main(arguments: list[str]) -> int:
    """0 where the model was loaded, and its example scored where it has one."""
    folder, place, times = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    found: dict[str, Any] = {"packages": _packages(), "python": sys.version.split()[0]}
    try:
        found |= _tried(folder, times)
    except BaseException as error:  # noqa: BLE001 - a model may raise anything
        traceback.print_exc()
        found["error"] = f"{type(error).__name__}: {error}"[:_LONGEST]
    draft = place.with_suffix(".draft")
    draft.write_text(json.dumps(found))
    draft.replace(place)
    return 0


def _tried(folder: Path, times: int) -> dict[str, Any]:
    began = time.perf_counter()
    import mlflow.pyfunc

    imported = time.perf_counter()
    print(f"[slipway] Loading with mlflow {mlflow.__version__}", flush=True)
    model = mlflow.pyfunc.load_model(str(folder))
    loaded = time.perf_counter()
    print(f"[slipway] Loaded in {loaded - imported:.2f} s", flush=True)
    signature = model.metadata.signature
    found = {
        "import_ms": _ms(imported - began),
        "load_ms": _ms(loaded - imported),
        "schema": signature.to_dict() if signature else {},
        "mlflow": mlflow.__version__,
    }
    if model.metadata.saved_input_example_info is None:
        print("[slipway] It has no input example to score", flush=True)
        return found | {"example": False}
    return found | _scored(model, folder, times)


def _scored(model: Any, folder: Path, times: int) -> dict[str, Any]:
    example = model.metadata.load_input_example(str(folder))
    answer = model.predict(example)
    took: list[float] = []
    ends = time.perf_counter() + _SECONDS
    while len(took) < times and (not took or time.perf_counter() < ends):
        began = time.perf_counter()
        model.predict(example)
        took.append(time.perf_counter() - began)
    latency = statistics.median(took)
    print(f"[slipway] Scored its example {len(took)} times, median {latency * 1000:.2f} ms", flush=True)
    return {
        "example": True,
        "scored": len(took),
        "latency_ms": _ms(latency),
        "answer": f"{type(answer).__module__}.{type(answer).__qualname__} {getattr(answer, 'shape', '')}".strip()[:200],
    }


def _ms(seconds: float) -> float:
    value = round(seconds * 1000, 3)
    return value if math.isfinite(value) else 0.0


def _packages() -> list[str]:
    named = {f"{each.metadata['Name']}=={each.version}" for each in metadata.distributions()}
    return sorted(named)[:_MOST_PACKAGES]


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # A model may have left threads that never end.
    os._exit(code)
