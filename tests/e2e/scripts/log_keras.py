import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import mlflow
from common import SIGNATURE, X, Y, check

with mlflow.start_run() as run:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[mlflow.keras.MlflowCallback()])
    logged = mlflow.keras.log_model(model, name="again", signature=SIGNATURE)
check(run.info.run_id, logged.model_uri, model.predict(X, verbose=0))
