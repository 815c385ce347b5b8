import mlflow
from common import SIGNATURE, X, Y, check
from sklearn.linear_model import LogisticRegression

mlflow.sklearn.autolog()
with mlflow.start_run() as run:
    model = LogisticRegression().fit(X, Y)
    logged = mlflow.sklearn.log_model(model, name="again", signature=SIGNATURE)
check(run.info.run_id, logged.model_uri, model.predict(X))
