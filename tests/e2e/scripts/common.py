"""What the scripts share: a little data, and a check that what was logged comes back and is registered."""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import infer_signature

X = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")
SIGNATURE = infer_signature(X)


def check(run_id, model_uri, expected):
    """The run has metrics and params, and the model predicts what it predicted before. Leaves `served.json`."""
    run = mlflow.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics, run.data
    assert run.data.params, run.data
    expected = np.asarray(expected).reshape(-1)
    loaded = np.asarray(mlflow.pyfunc.load_model(model_uri).predict(X)).reshape(-1)
    np.testing.assert_allclose(loaded, expected, rtol=1e-4)
    version = mlflow.register_model(model_uri, Path(sys.argv[0]).stem)
    served = {"uri": f"models:/{version.name}/v{version.version}", "rows": X.tolist(), "expected": expected.tolist()}
    Path("served.json").write_text(json.dumps(served))
    print("came back")
