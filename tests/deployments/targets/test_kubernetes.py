"""Instances as objects of a cluster: what is made, that clusters would take it, and what is read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from apps.core.errors import InvalidInput, Unavailable
from apps.deployments.targets.base import NotPrepared, Spec
from apps.deployments.targets.kubernetes import KubernetesTarget
from apps.deployments.targets.kubernetes.cluster import Cluster
from apps.deployments.targets.kubernetes.manifests import Wishes, name_of, objects_of
from tests.deployments.targets.fake_cluster import TOKEN, FakeCluster, fake_cluster
from tests.deployments.targets.making import make_model, make_spec

WISHES = Wishes("serving", "here", pods=3)
VERSIONS = ("1.29", "1.34")


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    config: dict[str, Any] = {
        "target": "kubernetes",
        "memory_mb": 512,
        "cpus": 0.5,
        "workers": 2,
        "env_vars": {"WORD": "secret"},
    }
    return make_spec(make_model(tmp_path / "model"), 17, key="sesame", **config)


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as cluster:
        yield cluster


@pytest.fixture
def target(cluster: FakeCluster, tmp_path: Path) -> KubernetesTarget:
    return a_target(kubeconfig(tmp_path, cluster.address), tmp_path)


def a_target(config: str, root: Path, **wishes: Any) -> KubernetesTarget:
    names = ("here", "before")
    place = Cluster(config, "serving")
    repository = "registry.test/serving"
    return KubernetesTarget(root / "k", place, replace(WISHES, **wishes), repository, "python", "none", names)


def kubeconfig(folder: Path, server: str, token: str = TOKEN) -> str:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {"token": token}}],
    }
    file = folder / f"kubeconfig-{token}"
    file.write_text(yaml.safe_dump(content))
    return str(file)


def pushed(target: KubernetesTarget, spec: Spec) -> None:
    """As if the image had been pushed from here."""
    target.root.mkdir(parents=True, exist_ok=True)
    target._note(target._image(spec)).touch()


def by_kind(spec: Spec, **wishes: Any) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in objects_of(spec, "registry.test/serving:1", replace(WISHES, **wishes))}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wishes", [{}, {"pods": 1, "service": "LoadBalancer", "pull_secret": "password"}])
def test_clusters_would_take_them(spec: Spec, version: str, wishes: dict[str, Any]) -> None:
    for each in by_kind(spec, **wishes).values():
        kubernetes_validate.validate(each, version, strict=True)


def test_what_is_made(spec: Spec) -> None:
    made = by_kind(spec)
    assert list(made) == ["Secret", "Deployment", "Service", "NetworkPolicy", "HorizontalPodAutoscaler"]
    assert {each["metadata"]["name"] for each in made.values()} == {"iris-r1-i17"}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["resources"]["limits"] == {"memory": "512Mi", "cpu": "500m"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    # Nothing of what may be secret stands where everybody reads.
    assert "secret" not in json.dumps(container.get("env", []))
    told = json.loads(made["Secret"]["stringData"]["SLIPWAY_CONFIG"])
    assert (told["secret"], told["workers"], told["listen"]["port"]) == ("sesame", 2, 8080)
    assert made["Secret"]["stringData"]["WORD"] == "secret"
    assert made["NetworkPolicy"]["spec"]["egress"] == []
    assert made["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 3
    assert "replicas" not in made["Deployment"]["spec"]


def test_one_that_may_reach_others_and_does_not_grow(spec: Spec) -> None:
    made = by_kind(replace(spec, config=spec.config.changed(network=True)), pods=1)
    assert made["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress"]
    assert "HorizontalPodAutoscaler" not in made
    assert made["Deployment"]["spec"]["replicas"] == 1


@pytest.mark.parametrize("name", ["Iris", "9-lives", "a" * 63, "x--y"])
def test_names_are_ones_that_clusters_take(spec: Spec, name: str) -> None:
    made = name_of(replace(spec, deployment=name, instance=10**12))
    assert len(made) <= 63
    assert made[0].isalpha()
    assert made.replace("-", "").isalnum()
    assert made == made.lower()


def test_the_life_of_one(target: KubernetesTarget, cluster: FakeCluster, spec: Spec) -> None:
    assert target.lacks() == ()
    with pytest.raises(NotPrepared):
        target.start(spec)
    pushed(target, spec)
    started = target.start(spec)
    assert (started.address, started.isolation) == ("http://iris-r1-i17.serving.svc:80", "pod")
    assert target.start(spec) == started
    kinds = {kind for kind, _ in cluster.objects}
    assert kinds == {"secrets", "deployments", "services", "networkpolicies", "horizontalpodautoscalers"}
    deployment = cluster.objects["deployments", "iris-r1-i17"]

    seen = target.observe({17: started.handle})[17]
    assert (seen.is_alive, seen.is_ready) == (True, False)
    deployment["status"] = {"readyReplicas": 1}
    seen = target.observe({17: started.handle})[17]
    assert (seen.is_ready, seen.address) == (True, started.address)

    assert target.strays([17]) == []
    assert target.strays([]) == [{"instance": 17, "name": "iris-r1-i17"}]

    cluster.add_pod(17, "here")
    target.end(started.handle, 30)
    # Its pods are there until they have ended.
    assert target.observe({17: started.handle})[17].is_alive
    del cluster.objects["pods", "pod-17"]
    seen = target.observe({17: started.handle})[17]
    assert (seen.is_alive, seen.exit_code) == (False, 0)
    target.forget(started.handle)
    target.forget(started.handle)
    assert cluster.objects == {}


def test_one_that_is_killed_takes_its_pods_along(target: KubernetesTarget, cluster: FakeCluster, spec: Spec) -> None:
    pushed(target, spec)
    started = target.start(spec)
    cluster.add_pod(17, "here")
    target.end(started.handle, 0)
    assert cluster.objects == {}


def test_behind_a_balancer_its_address_comes_later(cluster: FakeCluster, spec: Spec, tmp_path: Path) -> None:
    target = a_target(kubeconfig(tmp_path, cluster.address), tmp_path, service="LoadBalancer")
    pushed(target, spec)
    started = target.start(spec)
    assert started.address == ""
    cluster.objects["deployments", "iris-r1-i17"]["status"] = {"readyReplicas": 1}
    ingress = [{"ip": "192.0.2.7"}]
    cluster.objects["services", "iris-r1-i17"]["status"] = {"loadBalancer": {"ingress": ingress}}
    assert target.observe({17: started.handle})[17].address == "http://192.0.2.7:80"


def _container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "model", **state}]}


_OOM = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "restartCount": 2}
_BROKEN = {"lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}, "restartCount": 2}
_PULL = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}}
_NO_NODE = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "Insufficient memory."}]}


@pytest.mark.parametrize(
    ("status", "alive", "code", "message"),
    [
        (_container(**_OOM), False, -9, "The memory limit of 512 MB was reached."),
        (_container(**_BROKEN), False, 3, ""),
        (_container(**{**_BROKEN, "restartCount": 1}), True, None, ""),
        (_container(**_PULL), True, None, "The cluster can't pull the image: no such host"),
        (_NO_NODE, True, None, "No node takes its pod: Insufficient memory."),
    ],
)
def test_why_it_is_not_ready(
    target: KubernetesTarget,
    cluster: FakeCluster,
    spec: Spec,
    status: dict[str, Any],
    alive: bool,
    code: int | None,
    message: str,
) -> None:
    pushed(target, spec)
    started = target.start(spec)
    cluster.add_pod(17, "here", **status)
    seen = target.observe({17: started.handle})[17]
    assert (seen.is_alive, seen.exit_code, seen.message) == (alive, code, message)


def test_one_that_does_not_get_ready_in_time_has_ended(
    target: KubernetesTarget, cluster: FakeCluster, spec: Spec
) -> None:
    pushed(target, spec)
    started = target.start(spec)
    cluster.add_pod(17, "here", **_container(**_PULL))
    late = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "status": "False", "message": "too late"}
    cluster.objects["deployments", "iris-r1-i17"]["status"] = {"conditions": [late]}
    seen = target.observe({17: started.handle})[17]
    assert (seen.is_alive, seen.message) == (False, "The cluster can't pull the image: no such host")


def test_its_log_has_places(target: KubernetesTarget, cluster: FakeCluster, spec: Spec) -> None:
    pushed(target, spec)
    handle = target.start(spec).handle
    cluster.add_pod(17, "here")
    cluster.logs["pod-17"] = "2026-01-01T00:00:01.5Z one\n2026-01-01T00:00:01.500000001Z tẅo\n"
    first = target.log(handle, 0, 1000)
    assert (first.start, first.text) == (0, "one\ntẅo\n")
    cluster.logs["pod-17"] += "2026-01-01T00:00:02Z three\n"
    assert target.log(handle, first.end, 1000).text == "three\n"
    assert target.log(handle, 0, 6).text == "one\nt"
    assert target.log(handle, -6, 100).text == "three\n"


def test_what_a_cluster_refuses_is_said(target: KubernetesTarget, cluster: FakeCluster, spec: Spec) -> None:
    pushed(target, spec)
    cluster.refuse = (403, "deployments is forbidden")
    with pytest.raises(InvalidInput, match="does not let Slipway do that: deployments is forbidden"):
        target.start(spec)
    cluster.refuse = (422, "spec.replicas: Invalid value")
    with pytest.raises(InvalidInput, match=r"refused: spec\.replicas"):
        target.start(spec)
    cluster.refuse = (503, "no leader")
    with pytest.raises(Unavailable, match=r"can't do that now \(503\): no leader"):
        target.observe({17: {"name": "x", "instance": 17}})


def test_why_nothing_can_be_started(cluster: FakeCluster, tmp_path: Path) -> None:
    assert "No cluster is configured" in a_target("", tmp_path).lacks()[0]
    assert "there is no file" in a_target(str(tmp_path / "none"), tmp_path).lacks()[0]
    wrong = a_target(kubeconfig(tmp_path, cluster.address, "wrong"), tmp_path)
    assert "does not let Slipway do that" in wrong.lacks()[0]
    away = a_target(kubeconfig(tmp_path, "http://127.0.0.1:9", "away"), tmp_path)
    assert "does not answer" in away.lacks()[0]
    right = a_target(kubeconfig(tmp_path, cluster.address), tmp_path)
    assert "SLIPWAY_SERVING_REPOSITORY" in replace(right, repository="serving").lacks()[0]
