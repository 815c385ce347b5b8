"""The files of a demo model, as a client leaves them; there is no program in them, so that they can't be run."""

from __future__ import annotations

import json
from collections.abc import Iterator

from apps.registry.demo.stories import DemoModel

_PACKAGES = {"sklearn": "scikit-learn==1.7.2", "pytorch": "torch==2.9.0"}


def files_of(story: DemoModel, model_id: str, run_id: str) -> Iterator[tuple[str, bytes]]:
    """Paths below the model's folder, and contents."""
    split = {"columns": list(story.inputs), "data": [[round(1.5 + place, 2) for place in range(len(story.inputs))]]}
    yield "MLmodel", _mlmodel(story, model_id, run_id).encode()
    yield "requirements.txt", f"mlflow==3.17.2\n{_PACKAGES[story.library]}\nnumpy>=2\npandas>=2\n".encode()
    yield "input_example.json", json.dumps(split).encode()
    yield "serving_input_example.json", json.dumps({"dataframe_split": split}).encode()
    yield "README.md", f"# {story.name}\n\nA model of the demo: it has no weights and can't be loaded.\n".encode()


def _mlmodel(story: DemoModel, model_id: str, run_id: str) -> str:
    inputs = json.dumps([{"type": "double", "name": name, "required": True} for name in story.inputs])
    outputs = json.dumps([{"type": story.output, "required": True}])
    return (
        f"flavors:\n  python_function:\n    loader_module: mlflow.{story.library}\n    python_version: 3.12.8\n"
        f"  {story.library}: {{}}\nmlflow_version: 3.17.2\nmodel_id: {model_id}\nrun_id: {run_id}\n"
        "saved_input_example_info:\n  artifact_path: input_example.json\n"
        "  serving_input_path: serving_input_example.json\n  type: dataframe\n"
        f"signature:\n  inputs: '{inputs}'\n  outputs: '{outputs}'\n  params: null\n"
    )
