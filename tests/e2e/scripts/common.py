"""What the scripts share: a little data, and a check that what was logged comes back."""

import mlflow
import numpy as np

X = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")


def check(run_id, model_uri, expected):
    """The run has metrics and params, and the model predicts what it predicted before."""
    run = mlflow.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics, run.data
    assert run.data.params, run.data
    loaded = np.asarray(mlflow.pyfunc.load_model(model_uri).predict(X)).reshape(-1)
    np.testing.assert_allclose(loaded, np.asarray(expected).reshape(-1), rtol=1e-4)
    print("came back")
