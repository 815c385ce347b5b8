"""The files of the demo's projects. They run: with mlflow's client alone, on numbers that are made up."""

from __future__ import annotations

_ENVIRONMENT = 'python: "3.11"\ndependencies:\n  - mlflow-skinny>=2.22\n'

_SCRIPT = '''\
"""{says}"""

import argparse
import math
import random
import time

import mlflow

parser = argparse.ArgumentParser()
{arguments}
given = parser.parse_args()

random.seed(7)
with mlflow.start_run():
    for step in range({steps}):
        loss = {end} + math.exp(-step / 6) * (1 + random.gauss(0, 0.02))
        mlflow.log_metric("loss", loss, step=step)
        print(f"step {{step:3d}}  loss {{loss:.4f}}", flush=True)
        time.sleep(0.5)
    mlflow.log_metric("{score}", {best})
'''


def _script(says: str, *names: str, score: str, best: float, steps: int = 24, end: float = 0.4) -> str:
    arguments = "\n".join(f'parser.add_argument("--{name}")' for name in names)
    return _SCRIPT.format(says=says, arguments=arguments, score=score, best=best, steps=steps, end=end)


SCORECARD = {
    "MLproject": """\
name: credit-scorecard
python_env: python_env.yaml
env_vars:
  REPORT_CURRENCY: EUR
entry_points:
  train:
    parameters:
      quarter: string
      max_depth: {type: float, default: 5}
      learning_rate: {type: float, default: 0.1}
    command: "python train.py --quarter {quarter} --max-depth {max_depth} --learning-rate {learning_rate}"
  evaluate:
    parameters:
      model: uri
      groups: {type: string, default: "18-30,30-50,50-"}
    command: "python evaluate.py --model {model} --groups {groups}"
""",
    "python_env.yaml": _ENVIRONMENT,
    "train.py": _script("Trains the scorecard.", "quarter", "max-depth", "learning-rate", score="val_auc", best=0.85),
    "evaluate.py": _script("Scores a model by age group.", "model", "groups", score="val_auc", best=0.84, steps=6),
}

READMISSION = {
    "MLproject": """\
name: readmission-folds
conda_env: conda.yaml
entry_points:
  main:
    parameters:
      model: {type: string, default: histgradientboosting}
      folds: {type: float, default: 5}
    command: "python folds.py --model {model} --folds {folds}"
""",
    "conda.yaml": "name: readmission\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - mlflow-skinny>=2.22\n",
    "folds.py": _script("Cross-validates one candidate.", "model", "folds", score="auc", best=0.73, steps=10),
}

BEARINGS = {
    "MLproject": """\
name: bearing-life
python_env: python_env.yaml
entry_points:
  - name: train
    command: "python train.py --window {window}"
    parameters:
      window: {type: float, default: 256}
  - path: prepare.py
    name: prepare
""",
    "python_env.yaml": _ENVIRONMENT,
    "train.py": _script("Trains on windows of sensor values.", "window", score="r2", best=0.91, steps=40, end=11.0),
    "prepare.py": _script("Cuts sensor values into windows.", score="windows", best=84_200, steps=8),
    "plot.py": "print('plots')\n",
}

ALARMS = {
    "MLproject": """\
name: line-3-alarms
entry_points:
  threshold:
    parameters:
      band: {type: string, default: "2-4 kHz"}
      quantile: {type: float, default: 0.995}
    command: "python threshold.py --band {band} --quantile {quantile}"
""",
    "threshold.py": "import sys\n\nprint('threshold', sys.argv[1:])\n",
}
