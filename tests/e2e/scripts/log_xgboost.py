import mlflow
from common import SIGNATURE, X, Y, check
from xgboost import XGBClassifier

mlflow.xgboost.autolog()
with mlflow.start_run() as run:
    model = XGBClassifier(n_estimators=5).fit(X, Y, eval_set=[(X, Y)], verbose=False)
    logged = mlflow.xgboost.log_model(model, name="again", signature=SIGNATURE)
check(run.info.run_id, logged.model_uri, model.predict(X))
