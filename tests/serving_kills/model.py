"""A model that is quick to build and to load: it multiplies by its version's factor."""

from __future__ import annotations

# By version, from 1.
FACTORS = (2, 3)
_MLMODEL = """
flavors:
  python_function:
    loader_module: scaling
    code: code
    data: data
    env: {virtualenv: python_env.yaml}
    python_version: 3.11.2
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
  params: null
"""
_LOADER = """
class Scaling:
    def predict(self, data, params=None):
        return (data["x"] * FACTOR).tolist()


def _load_pyfunc(path):
    return Scaling()
"""


def files_of(factor: int) -> dict[str, str]:
    """Its files by path."""
    return {
        "MLmodel": _MLMODEL,
        "code/scaling.py": _LOADER.replace("FACTOR", str(factor)),
        "data/weights.txt": f"{factor}\n",
        "requirements.txt": "mlflow-skinny\npandas\nnumpy\n",
        "python_env.yaml": "dependencies:\n- -r requirements.txt\n",
    }
