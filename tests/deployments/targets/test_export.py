"""Bundles: what is in them, that their tools would take it, and that what is unpacked answers."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from apps.deployments.configuration import Config
from apps.deployments.environments import needs_of_model
from apps.deployments.targets.export import Bundle, ExportKind, ModelFile
from apps.deployments.targets.export.bundle import slug_of
from tests.deployments.targets.making import body, make_model
from tests.servers import free_port

CONFIG: dict[str, Any] = {
    "workers": 2,
    "memory_mb": 512,
    "cpus": 1.5,
    "instances": 3,
    "env_vars": {"API_KEY": "hush-hush"},
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "version")


def make_bundle(
    model: Path,
    kind: ExportKind = ExportKind.DOCKER,
    name: str = "iris",
    base: str = "python:3.11-slim",
    **config: Any,
) -> Bundle:
    files = [file for file in sorted(model.rglob("*")) if file.is_file()]
    held = tuple(
        ModelFile(str(file.relative_to(model)), file.stat().st_size, lambda file=file: [file.read_bytes()])  # type: ignore[misc]
        for file in files
    )
    needs = needs_of_model(model)
    return Bundle(kind, name, 7, Config.from_json(config), needs, base, held)


def unpacked(bundle: Bundle, into: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(b"".join(bundle.pieces()))) as archive:
        assert archive.testzip() is None
        archive.extractall(into)
    (top,) = into.iterdir()
    return top


@pytest.mark.parametrize("name", ["syntax=frontend", "escape=`", "check=skip=all;error=true", " # syntax = x"])
def test_the_name_of_a_model_tells_a_builder_nothing(model: Path, name: str) -> None:
    """As builders do: up to the first line that is no directive they do what lines such as `# syntax=IMAGE` say."""
    lines = make_bundle(model, name=name).small_files()["Dockerfile"].decode().splitlines()
    assert not re.match(r"#\s*[A-Za-z][A-Za-z0-9]*\s*=", lines[0])
    assert name.strip() in lines[1]


@pytest.mark.parametrize("kind", ExportKind)
def test_what_is_in_all_of_them(model: Path, kind: ExportKind, tmp_path: Path) -> None:
    bundle = make_bundle(model, kind, **CONFIG)
    assert bundle.name == f"iris-7-{kind}.zip"
    top = unpacked(bundle, tmp_path / "out")
    assert top.name == f"iris-7-{kind}"
    for name in ("Dockerfile", "README.md", "requirements.txt", "model/MLmodel", "program/scoring/launch.py"):
        assert (top / name).is_file(), name
    assert (top / "model" / "model.py").read_bytes() == (model / "model.py").read_bytes()
    assert "mlflow-skinny" in (top / "requirements.txt").read_text().splitlines()
    told = json.loads((top / "program" / "config.json").read_text())
    assert (told["name"], told["version"], told["workers"]) == ("iris", "7", 2)
    for file in top.rglob("*"):
        # Values of variables are nobody's who may only read the version.
        assert not file.is_file() or b"hush-hush" not in file.read_bytes()
    readme = (top / "README.md").read_text()
    assert "`API_KEY`" in readme
    assert not re.search(r"\$\{?[a-z]+\}?", readme)


def test_the_same_version_is_the_same_archive(model: Path) -> None:
    assert b"".join(make_bundle(model).pieces()) == b"".join(make_bundle(model).pieces())


def test_large_files_are_sent_as_they_are_read(model: Path) -> None:
    asked: list[int] = []

    def read() -> Iterator[bytes]:
        for number in range(100):
            asked.append(number)
            yield b"x" * 100_000

    bundle = make_bundle(model)
    large = ModelFile("weights.bin", 10_000_000, read)
    bundle = Bundle(bundle.kind, "iris", 7, bundle.config, bundle.needs, bundle.base, (large,))
    sent = 0
    for piece in bundle.pieces():
        sent += len(piece)
        assert len(piece) < 1_000_000
        assert sent >= (len(asked) - 1) * 100_000
    assert len(asked) == 100


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Iris Classifier", "iris-classifier"),
        ("9 lives", "m-9-lives"),
        ("模型", "model"),
        ("a\nFROM evil", "a-from-evil"),
    ],
)
def test_names_are_ones_that_places_take(model: Path, name: str, slug: str, tmp_path: Path) -> None:
    assert slug_of(name) == slug
    top = unpacked(make_bundle(model, name=name), tmp_path / "out")
    words = [line.split()[0] for line in (top / "Dockerfile").read_text().splitlines() if line.startswith("FROM")]
    assert words == ["FROM"]


def test_compose_takes_its_file(model: Path, tmp_path: Path) -> None:
    top = unpacked(make_bundle(model, **CONFIG), tmp_path / "out")
    service = yaml.safe_load((top / "compose.yaml").read_text())["services"]["model"]
    assert (service["read_only"], service["cap_drop"], service["ports"]) == (True, ["ALL"], ["127.0.0.1:8080:8080"])
    checker = shutil.which("check-jsonschema", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("check-jsonschema is not installed")
    command = [checker, "--builtin-schema", "vendor.compose-spec", str(top / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_sagemakers_documents(model: Path, tmp_path: Path) -> None:
    top = unpacked(make_bundle(model, ExportKind.SAGEMAKER, **CONFIG), tmp_path / "out")
    made, settings, endpoint = (
        json.loads((top / "sagemaker" / f"{name}.json").read_text())
        for name in ("model", "endpoint-config", "endpoint")
    )
    assert made["ModelName"] == settings["ProductionVariants"][0]["ModelName"] == "iris-7"
    assert settings["EndpointConfigName"] == endpoint["EndpointConfigName"]
    assert made["EnableNetworkIsolation"] is True
    dockerfile = (top / "Dockerfile").read_text()
    # How SageMaker starts it: `docker run IMAGE serve`, on port 8080.
    assert 'ENTRYPOINT ["python", "-I", "-u", "/opt/slipway/serve.py"]' in dockerfile
    assert "EXPOSE 8080" in dockerfile


def test_azures_routes(model: Path, tmp_path: Path) -> None:
    top = unpacked(make_bundle(model, ExportKind.AZUREML, **CONFIG), tmp_path / "out")
    endpoint, deployment = (
        yaml.safe_load((top / "azureml" / f"{name}.yml").read_text()) for name in ("endpoint", "deployment")
    )
    assert endpoint["name"] == deployment["endpoint_name"] == "iris"
    routes = deployment["environment"]["inference_config"]
    assert routes["scoring_route"] == {"port": 8080, "path": "/invocations"}
    assert set(routes) == {"liveness_route", "readiness_route", "scoring_route"}


def test_kserves_predictor_is_a_pod_that_clusters_take(model: Path, tmp_path: Path) -> None:
    top = unpacked(make_bundle(model, ExportKind.KSERVE, **CONFIG), tmp_path / "out")
    service = yaml.safe_load((top / "kserve" / "inferenceservice.yaml").read_text())
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    predictor = dict(service["spec"]["predictor"])
    assert (predictor.pop("minReplicas"), predictor.pop("timeout")) == (3, 60)
    # What is left is a pod's: the resource itself is not of Kubernetes, and its shape is not known to validators.
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"], "spec": predictor}
    kubernetes_validate.validate(pod, "1.34", strict=True)


def test_the_program_needs_only_the_standard_library(model: Path) -> None:
    source = make_bundle(model).small_files()["program/serve.py"].decode()
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(source, feature_version=(3, 9)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_what_is_unpacked_answers(model: Path, tmp_path: Path) -> None:
    top = unpacked(make_bundle(model), tmp_path / "out")
    port = free_port()
    settings = {"SLIPWAY_HOST": "127.0.0.1", "SLIPWAY_PORT": str(port), "GREETING": "hello", "HOME": str(tmp_path)}
    command = [sys.executable, "-I", "-u", str(top / "program" / "serve.py")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], env=settings, stdout=log, stderr=log, cwd=tmp_path)
    try:
        wait_for(process, port, tmp_path / "log")
        assert subprocess.run([*command, "healthy"], env=settings, check=False).returncode == 0
        assert post(port, body(3, 4)) == {"predictions": [6, 8]}
        assert "loading hello" in (tmp_path / "log").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert subprocess.run([*command, "healthy"], env=settings, check=False).returncode == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SLIPWAY_WORKERS": "many"}, "SLIPWAY_WORKERS: 'many' is no number above 0"),
        ({"SLIPWAY_CONFIG": "[]"}, "SLIPWAY_CONFIG holds no object"),
        ({"SLIPWAY_HOST": "192.0.2.1"}, "can't be listened on"),
    ],
)
def test_wrong_settings_are_said_in_one_line(model: Path, tmp_path: Path, settings: dict[str, str], words: str) -> None:
    top = unpacked(make_bundle(model), tmp_path / "out")
    command = [sys.executable, "-I", str(top / "program" / "serve.py"), "serve"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode in (2, 4)
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def post(port: int, content: bytes) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", content, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())
