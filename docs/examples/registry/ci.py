"""A job of CI: test a version, report the check, ask that it enter a stage, and wait until people have decided.

Set MLFLOW_TRACKING_URI, and MLFLOW_TRACKING_TOKEN to a token of a service account. The account reports and asks; it
never decides, and neither does who holds it, which are the administrators: let maintainers of the team approve. Exit
codes: 0 it is in the stage, 1 the test failed or somebody said no, 2 nobody decided in time.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import mlflow.pyfunc
import requests
from mlflow import MlflowClient
from sklearn.metrics import accuracy_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "iris"))

from train import HERE, load

CHECK = "accuracy-on-holdout"


def call(method, path, body=None):
    """One call of the API; its JSON. Ends the job with the server's own words where it refuses."""
    answer = requests.request(
        method,
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/{path}",
        json=body,
        headers={"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"},
        timeout=30,
    )
    if not answer.ok:
        sys.exit(f"{method} {path} was answered {answer.status_code}: {answer.json()['message']}")
    return answer.json()


def newest(name):
    """The number of the newest version."""
    found = MlflowClient().search_model_versions(f"name = '{name}'")
    return str(max(int(version.version) for version in found))


def accuracy(name, version):
    """How often the version is right about flowers that it has not seen."""
    _, x_test, _, y_test = load(HERE / "iris.csv")
    return accuracy_score(y_test, mlflow.pyfunc.load_model(f"models:/{name}/{version}").predict(x_test))


def report(options, version, reached):
    """Say how the test went. A gate of the policy may wait for this check, by this account."""
    passed = reached >= options.least
    body = {
        "name": CHECK,
        "state": "passed" if passed else "failed",
        "text": f"accuracy {reached:.3f}, at least {options.least} is wanted",
        "url": os.environ.get("CI_JOB_URL", ""),
    }
    call("POST", f"v1/models/{options.team}/{options.name}/versions/{version}/checks/", body)
    return passed


def asked(options, version):
    """The id of this account's open request, from an earlier run of the job; None where there is none."""
    query = urlencode({"view": "asked", "state": "open", "team": options.team, "name": options.name})
    for line in call("GET", f"v1/promotion-requests/?{query}")["results"]:
        request = line["request"]
        if (str(request["version"]), request["stage"]) == (version, options.stage):
            return request["id"]
    return None


def ask(options, version):
    """Ask that the version enter the stage; the id of the request."""
    body = {"name": options.name, "version": version, "stage": options.stage, "comment": f"Checked: {CHECK}."}
    return call("POST", "2.0/mlflow/transition-requests/create", body)["request"]["id"]


def wait(request_id, seconds):
    """The state that the request ended in; "open" where nobody decided in time."""
    end = time.monotonic() + seconds
    while True:
        request = call("GET", f"v1/promotion-requests/{request_id}/")["request"]
        if request["state"] != "open" or time.monotonic() > end:
            return request["state"]
        time.sleep(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the registered model")
    parser.add_argument("version", nargs="?", help="its number; the newest where it is left out")
    parser.add_argument("-t", "--team", default="default", help="that the model belongs to")
    parser.add_argument("-s", "--stage", default="Production", help="to ask for")
    parser.add_argument("-l", "--least", type=float, default=0.9, help="accuracy that is good enough")
    parser.add_argument("-w", "--wait", type=float, default=3600, help="seconds to wait for people")
    options = parser.parse_args()

    version = options.version or newest(options.name)
    if not report(options, version, accuracy(options.name, version)):
        print(f"{options.name} version {version} is not good enough")
        return 1
    if MlflowClient().get_model_version(options.name, version).current_stage == options.stage:
        print(f"{options.name} version {version} is in {options.stage} already")
        return 0
    state = wait(asked(options, version) or ask(options, version), options.wait)
    print(f"{options.name} version {version}: the request is {state}")
    return {"applied": 0, "open": 2}.get(state, 1)


if __name__ == "__main__":
    sys.exit(main())
