"""Versions whose files are a small model, and their builds."""

from __future__ import annotations

from typing import Any

from apps.projects import actions
from apps.projects.execution.runner import Runner
from apps.projects.models import Build, ProjectRun, RunState
from apps.registry.models import ModelVersion
from tests.personas import People, Persona
from tests.projects.execution.running import Outcome, outcome_of
from tests.projects.making import queue
from tests.projects.queue.making import SYSTEM, claim, make_worker
from tests.registry.gates.cases import make_version
from tests.registry.gates.test_files import put

MLMODEL = """
flavors:
  python_function:
    loader_module: doubling
    code: code
    data: data
    env: {virtualenv: python_env.yaml}
    python_version: 3.11.2
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
  params: null
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  type: dataframe
"""
LOADER = """
class Doubling:
    def predict(self, data, params=None):
        return data["x"] * 2


def _load_pyfunc(path):
    return Doubling()
"""
MODEL = {
    "MLmodel": MLMODEL,
    "code/doubling.py": LOADER,
    "data/weights.txt": "2\n",
    "input_example.json": '{"columns": ["x"], "data": [[1.5], [2.5]]}',
    "requirements.txt": "mlflow-skinny\npandas\nnumpy\n",
    "python_env.yaml": "dependencies:\n- -r requirements.txt\n",
}


def make_model(people: People, **files: str) -> ModelVersion:
    """A version of Ada's with the model's files, some of them others."""
    version = make_version(people.ada, people.forge)
    for name, content in (MODEL | files).items():
        put(people.ada, version, name, content)
    return ModelVersion.objects.select_related("model__team").get(pk=version.pk)


def start(who: Persona, version: ModelVersion, **more: Any) -> ProjectRun:
    """A build that waits."""
    queue()
    return actions.start_build(who.actor, version=version, **more)


def carry_out(run: ProjectRun) -> tuple[Build, Outcome]:
    """Let a worker do it."""
    claimed = claim(make_worker())
    assert claimed is not None and claimed.pk == run.pk
    Runner(SYSTEM, claimed).run()
    return Build.objects.get(pk=run.pk), outcome_of(claimed)


def built(version: ModelVersion, who: Persona, **result: Any) -> Build:
    """A build that ended green with some figures, as if a worker had done it: of the files as they are."""
    from apps.projects.actions.builds import note_files, note_result
    from apps.registry.mlmodel import folder_of_version
    from apps.registry.stamps import files_in, stamp_of

    run = start(who, version)
    held = claim(make_worker())
    assert held is not None and held.pk == run.pk
    files = files_in(folder_of_version(version))
    note_files(run=held, stamp=stamp_of(files), size=result.pop("bytes", 1000), sha256="0" * 64)
    note_result(run=held, result={"load_ms": 120.0, "example": False, **result})
    actions.start_run(SYSTEM, run=held)
    ending = actions.Ending(RunState.FINISHED, "", 0)
    actions.end_attempt(SYSTEM, run=held, ending=ending)
    return Build.objects.get(pk=run.pk)
