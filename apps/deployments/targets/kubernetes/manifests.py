"""From a spec to the objects of a cluster, as plain JSON: what runs, how it is reached, and what it may."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.deployments.configuration import ScoringServer
from apps.deployments.targets.base import Spec
from apps.deployments.targets.image import PORT

GRACE_SECONDS = 30
SITE, INSTANCE = "serving.slipway/site", "serving.slipway/instance"
_USER = 10001
_MIB = 1024 * 1024
_USUAL_CPU = "250m"
_USUAL_MEMORY_MB = 256
_BUSY_PERCENT = 75
# What reckons in threads takes as many as the node has, whatever share of it a pod may use.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# How long a model may take to load, in seconds: as long as any instance.
_START_SECONDS = 600

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator wants of all: in which namespace, how many pods at the most, behind which kind of Service.

    `pull_secret` names the Secret with the registry's password; empty: none is needed.
    """

    namespace: str
    site: str
    pods: int = 4
    service: str = "ClusterIP"
    pull_secret: str = ""


def objects_of(spec: Spec, image: str, wishes: Wishes) -> list[Object]:
    """All that an instance is, in the order in which it is made."""
    found = [_secret(spec, wishes), _deployment(spec, image, wishes), _service(spec, wishes), _policy(spec, wishes)]
    return [*found, _autoscaler(spec, wishes)] if wishes.pods > 1 else found


def name_of(spec: Spec) -> str:
    """The name of its objects: of the deployment, for people, and of the instance, which makes it unique."""
    readable = re.sub(r"[^a-z0-9]+", "-", spec.deployment.lower()).strip("-")[:36] or "model"
    readable = readable if readable[0].isalpha() else f"m-{readable}"
    return f"{readable}-r{spec.revision}-i{spec.instance}"


def unenforced(spec: Spec) -> tuple[str, ...]:
    """What nobody holds it to, in sentences."""
    said = ["processes: the cluster's nodes say how many there may be in a pod."]
    if not spec.config.network:
        said.append("network: a NetworkPolicy forbids it, where the cluster's network heeds them.")
    if spec.config.server == ScoringServer.MLFLOW:
        said.append("key: MLflow's server answers whoever reaches its port.")
    return tuple(said)


def labels_of(spec: Spec, wishes: Wishes) -> dict[str, str]:
    """By which they are found."""
    return {
        "app.kubernetes.io/name": name_of(spec),
        "app.kubernetes.io/component": "serving",
        "app.kubernetes.io/managed-by": "slipway",
        SITE: wishes.site,
        INSTANCE: str(spec.instance),
    }


def _head(api: str, kind: str, spec: Spec, wishes: Wishes) -> Object:
    metadata = {"name": name_of(spec), "namespace": wishes.namespace, "labels": labels_of(spec, wishes)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def _chosen(spec: Spec, wishes: Wishes) -> dict[str, str]:
    return {SITE: wishes.site, INSTANCE: str(spec.instance)}


def _secret(spec: Spec, wishes: Wishes) -> Object:
    """All variables: whether some of them are secret, nobody but their writer knows."""
    config = spec.config
    told = {
        "name": spec.model_name,
        "version": str(spec.version),
        "listen": {"host": "0.0.0.0", "port": PORT},  # noqa: S104 - in its own network
        "workers": config.workers,
        "timeout_s": config.timeout_s,
        "concurrency": config.concurrency,
        "max_body_bytes": config.max_body_mb * _MIB,
        "batching": {"enabled": None if config.batching else False},
        "grace_s": GRACE_SECONDS,
        "secret": spec.key or None,
        "server": str(config.server),
    }
    threads = str(max(1, math.ceil(config.cpus / config.workers))) if config.cpus else ""
    variables = {**(dict.fromkeys(_THREADS, threads) if threads else {}), **config.env_vars}
    content = {**variables, "SLIPWAY_CONFIG": json.dumps(told)}
    return {**_head("v1", "Secret", spec, wishes), "type": "Opaque", "stringData": content}


def _deployment(spec: Spec, image: str, wishes: Wishes) -> Object:
    replicas = {} if wishes.pods > 1 else {"replicas": 1}
    annotations = {"serving.slipway/deployment": spec.deployment, "serving.slipway/revision": str(spec.revision)}
    head = _head("apps/v1", "Deployment", spec, wishes)
    head["metadata"]["annotations"] = annotations
    return {
        **head,
        "spec": {
            **replicas,
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": _START_SECONDS,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": _chosen(spec, wishes)},
            "template": {
                "metadata": {"labels": labels_of(spec, wishes), "annotations": annotations},
                "spec": _pod(spec, image, wishes),
            },
        },
    }


def _pod(spec: Spec, image: str, wishes: Wishes) -> Object:
    found = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS + 10,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, image)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}],
    }
    return {**found, "imagePullSecrets": [{"name": wishes.pull_secret}]} if wishes.pull_secret else found


def _container(spec: Spec, image: str) -> Object:
    return {
        "name": "model",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["serve"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "envFrom": [{"secretRef": {"name": name_of(spec)}}],
        "resources": _resources(spec),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
        "startupProbe": _probe(period=2, failures=_START_SECONDS // 2),
        "readinessProbe": _probe(period=2, failures=2),
        "livenessProbe": _probe(period=5, failures=4),
        # So that all nodes have heard that it goes before it takes nothing more.
        "lifecycle": {"preStop": {"exec": {"command": ["python", "-I", "-c", "import time; time.sleep(3)"]}}},
    }


def _resources(spec: Spec) -> Object:
    config = spec.config
    limits: dict[str, str] = {}
    if config.memory_mb is not None:
        limits["memory"] = f"{config.memory_mb}Mi"
    if config.cpus is not None:
        limits["cpu"] = f"{math.ceil(config.cpus * 1000)}m"
    memory = min(config.memory_mb or _USUAL_MEMORY_MB, _USUAL_MEMORY_MB)
    requests = {"cpu": limits.get("cpu", _USUAL_CPU), "memory": limits.get("memory", f"{memory}Mi")}
    return {"requests": requests, "limits": limits} if limits else {"requests": requests}


def _probe(*, period: int, failures: int) -> Object:
    look = {"path": "/health", "port": "http"}
    return {"httpGet": look, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": failures}


def _service(spec: Spec, wishes: Wishes) -> Object:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    wanted = {"type": wishes.service, "selector": _chosen(spec, wishes), "ports": ports}
    return {**_head("v1", "Service", spec, wishes), "spec": wanted}


def _policy(spec: Spec, wishes: Wishes) -> Object:
    """Only its port is reached, from the cluster where no balancer stands before it; and it reaches nobody."""
    inside: Mapping[str, Any] = {"from": [{"namespaceSelector": {}}]} if wishes.service == "ClusterIP" else {}
    wanted: Object = {
        "podSelector": {"matchLabels": _chosen(spec, wishes)},
        "policyTypes": ["Ingress"],
        "ingress": [{**inside, "ports": [{"port": PORT, "protocol": "TCP"}]}],
    }
    if not spec.config.network:
        wanted |= {"policyTypes": ["Ingress", "Egress"], "egress": []}
    return {**_head("networking.k8s.io/v1", "NetworkPolicy", spec, wishes), "spec": wanted}


def _autoscaler(spec: Spec, wishes: Wishes) -> Object:
    target = {"type": "Utilization", "averageUtilization": _BUSY_PERCENT}
    return {
        **_head("autoscaling/v2", "HorizontalPodAutoscaler", spec, wishes),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name_of(spec)},
            "minReplicas": 1,
            "maxReplicas": wishes.pods,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
