"""Every call of the client about models, versions and prompts, with whatever release runs it."""

import mlflow
from common import X, Y
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

RELEASE = mlflow.__version__
NAME = f"tour {RELEASE}"
client = MlflowClient()


def log_and_load():
    """`log_model` registers version 1, `register_model` version 2; each address loads."""
    mlflow.set_experiment(f"registry {RELEASE}")
    place = {"artifact_path": "model"} if RELEASE.startswith("2.") else {"name": "model"}
    with mlflow.start_run() as run:
        model = LogisticRegression().fit(X, Y)
        mlflow.sklearn.log_model(model, registered_model_name=NAME, input_example=X[:2], **place)
    again = mlflow.register_model(f"runs:/{run.info.run_id}/model", NAME, tags={"from": "the run"})
    assert (str(again.version), again.tags) == ("2", {"from": "the run"})
    first = client.get_model_version(NAME, "1")
    assert (first.run_id, first.status, first.user_id) == (run.info.run_id, "READY", "admin")
    assert client.get_model_version_download_uri(NAME, "1").startswith("mlflow-artifacts:/")
    expected = model.predict(X).tolist()
    client.set_registered_model_alias(NAME, "champion", "2")
    client.transition_model_version_stage(NAME, "1", "Production")
    for place in ("/1", "/latest", "/Production", "/v1", "/v2", "@champion"):
        assert mlflow.pyfunc.load_model(f"models:/{NAME}{place}").predict(X).tolist() == expected, place
    assert mlflow.sklearn.load_model(f"models:/{NAME}/2").predict(X).tolist() == expected


def copy():
    """A copy has the run, the files, and a name of its own."""
    copied = client.copy_model_version(f"models:/{NAME}/1", f"{NAME}, copied")
    assert (copied.source, copied.run_id) == (f"models:/{NAME}/1", client.get_model_version(NAME, "1").run_id)
    mlflow.sklearn.load_model(f"models:/{NAME}, copied/1")
    client.rename_registered_model(f"{NAME}, copied", f"{NAME}, renamed")
    client.delete_registered_model(f"{NAME}, renamed")


def find():
    """Searches, and what hangs on a model and a version."""
    [model] = client.search_registered_models(f"name = '{NAME}'")
    assert {str(version.version) for version in model.latest_versions} == {"1", "2"}
    assert {alias: str(number) for alias, number in model.aliases.items()} == {"champion": "2"}
    versions = client.search_model_versions(f"name = '{NAME}'", order_by=["version_number ASC"])
    assert [str(version.version) for version in versions] == ["1", "2"]
    assert [str(version.version) for version in client.get_latest_versions(NAME, ["Production"])] == ["1"]
    assert str(client.get_model_version_by_alias(NAME, "champion").version) == "2"


def label():
    """Descriptions, tags and aliases come and go."""
    client.update_registered_model(NAME, description="of a tour")
    client.update_model_version(NAME, "1", "the first")
    client.set_registered_model_tag(NAME, "k", "v")
    client.set_model_version_tag(NAME, "1", "k", "v")
    client.set_model_version_tag(NAME, key="staged", value="yes", stage="Production")
    assert client.get_registered_model(NAME).tags == {"k": "v"}
    assert client.get_model_version(NAME, "1").tags == {"k": "v", "staged": "yes"}
    client.delete_registered_model_tag(NAME, "k")
    client.delete_model_version_tag(NAME, "1", "k")
    client.delete_registered_model_alias(NAME, "champion")
    client.delete_model_version(NAME, "2")
    model = client.get_registered_model(NAME)
    assert (model.description, model.tags, model.aliases) == ("of a tour", {}, {})


def prompts():
    """Prompts are registered models that no list of models shows."""
    place = getattr(mlflow, "genai", mlflow)
    name = "prompt-" + RELEASE.replace(".", "-")
    place.register_prompt(name=name, template="Hi {{name}}", commit_message="first", tags={"t": "1"})
    assert int(place.register_prompt(name=name, template="Hello {{name}}!").version) == 2
    assert place.load_prompt(name, version=1).format(name="Ada") == "Hi Ada"
    place.set_prompt_alias(name, alias="best", version=1)
    assert int(place.load_prompt(f"prompts:/{name}@best").version) == 1
    place.delete_prompt_alias(name, alias="best")
    if hasattr(place, "search_prompts"):
        assert name in [prompt.name for prompt in place.search_prompts()]
    assert name not in [model.name for model in client.search_registered_models()]


log_and_load()
copy()
find()
label()
prompts()
print("toured")
