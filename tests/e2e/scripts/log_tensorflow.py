import mlflow
import tensorflow as tf
from common import SIGNATURE, X, Y, check

mlflow.tensorflow.autolog()
with mlflow.start_run() as run:
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    model.fit(X, Y, epochs=3, verbose=0)
    logged = mlflow.tensorflow.log_model(model, name="again", signature=SIGNATURE)
check(run.info.run_id, logged.model_uri, model.predict(X, verbose=0))
