import mlflow
import torch
from common import SIGNATURE, X, Y, check

with mlflow.start_run() as run:
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    mlflow.log_params({"lr": 0.1, "optimizer": "SGD"})
    for step in range(10):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            model(torch.from_numpy(X))[:, 0], torch.from_numpy(Y).float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mlflow.log_metric("loss", loss.item(), step=step)
    logged = mlflow.pytorch.log_model(model, name="again", signature=SIGNATURE, serialization_format="pickle")
with torch.no_grad():
    check(run.info.run_id, logged.model_uri, model(torch.from_numpy(X)).numpy())
