"""What each place wants beside the image's files. Adding one: a function here, and a part of the instructions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Any

import yaml

from apps.deployments.configuration import Config
from apps.deployments.targets.image import PORT

_TEMPLATES = Path(__file__).parent / "templates"
_HEALTH, _INVOCATIONS = "/health", "/invocations"
_USUAL_MEMORY_MB = 1024
_USER = 10001


class ExportKind(StrEnum):
    """Where a bundle is taken to."""

    DOCKER = "docker"
    SAGEMAKER = "sagemaker"
    AZUREML = "azureml"
    KSERVE = "kserve"


@dataclass(frozen=True, slots=True)
class About:
    """What is exported, in the names that places take: small letters, digits and dashes."""

    model: str
    version: int
    slug: str
    config: Config
    python: str

    @property
    def image(self) -> str:
        """What the instructions call the image."""
        return f"{self.slug}:{self.version}"


def files_of(kind: ExportKind, about: About) -> dict[str, str]:
    """The files of a place, by path."""
    return _MAKERS[kind](about)


def readme_of(kind: ExportKind, about: About, notes: list[str]) -> str:
    """How it is built and run there. `notes`: what its reader has to know of this version."""
    values = {
        "model": about.model,
        "version": about.version,
        "slug": about.slug,
        "python": about.python,
        "image": about.image,
        "port": PORT,
    }
    common = Template((_TEMPLATES / "README.md.template").read_text())
    own = Template((_TEMPLATES / f"{kind}.md.template").read_text()).substitute(values)
    said = "".join(f"- {note}\n" for note in notes)
    return common.substitute(values, place=own.strip(), notes=f"\n## Of this version\n\n{said}" if said else "")


def _docker(about: About) -> dict[str, str]:
    config = about.config
    limits: dict[str, Any] = {}
    if config.memory_mb is not None:
        limits["mem_limit"] = f"{config.memory_mb}m"
    if config.cpus is not None:
        limits["cpus"] = config.cpus
    service = {
        "build": ".",
        "image": about.image,
        "ports": [f"127.0.0.1:{PORT}:{PORT}"],
        "environment": {"SLIPWAY_WORKERS": str(config.workers), "SLIPWAY_SECRET": "${SLIPWAY_SECRET:-}"}
        | {name: f"${{{name}:?}}" for name in config.env_vars},
        "read_only": True,
        "tmpfs": ["/tmp:size=512m,mode=1777"],  # noqa: S108
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": 4096,
        "init": True,
        "stop_grace_period": "35s",
        "restart": "unless-stopped",
        **limits,
    }
    return {"compose.yaml": _yaml({"services": {"model": service}})}


def _sagemaker(about: About) -> dict[str, str]:
    name = f"{about.slug}-{about.version}"
    container = {"Image": "<account>.dkr.ecr.<region>.amazonaws.com/" + about.image}
    variables = {"SLIPWAY_WORKERS": str(about.config.workers)} | dict.fromkeys(about.config.env_vars, "<value>")
    variant = {
        "VariantName": "all",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": about.config.instances,
        "ContainerStartupHealthCheckTimeoutInSeconds": 600,
    }
    documents: dict[str, Mapping[str, Any]] = {
        "model": {
            "ModelName": name,
            "ExecutionRoleArn": "arn:aws:iam::<account>:role/<role>",
            "PrimaryContainer": {**container, "Environment": variables},
            "EnableNetworkIsolation": not about.config.network,
        },
        "endpoint-config": {"EndpointConfigName": name, "ProductionVariants": [variant]},
        "endpoint": {"EndpointName": about.slug, "EndpointConfigName": name},
    }
    return {f"sagemaker/{file}.json": json.dumps(content, indent=2) + "\n" for file, content in documents.items()}


def _azureml(about: About) -> dict[str, str]:
    schemas = "https://azuremlschemas.azureedge.net/latest"
    endpoint = {
        "$schema": f"{schemas}/managedOnlineEndpoint.schema.json",
        "name": about.slug,
        "auth_mode": "key",
    }
    looked_at = {"port": PORT, "path": _HEALTH}
    deployment = {
        "$schema": f"{schemas}/managedOnlineDeployment.schema.json",
        "name": f"v{about.version}",
        "endpoint_name": about.slug,
        "environment": {
            "image": f"<registry>.azurecr.io/{about.image}",
            "inference_config": {
                "liveness_route": looked_at,
                "readiness_route": dict(looked_at),
                "scoring_route": {"port": PORT, "path": _INVOCATIONS},
            },
        },
        "environment_variables": {"SLIPWAY_WORKERS": str(about.config.workers)}
        | dict.fromkeys(about.config.env_vars, "<value>"),
        "request_settings": {
            "request_timeout_ms": min(about.config.timeout_s, 180) * 1000,
            "max_concurrent_requests_per_instance": about.config.concurrency * about.config.workers,
        },
        "instance_type": "Standard_DS3_v2",
        "instance_count": about.config.instances,
    }
    return {"azureml/endpoint.yml": _yaml(endpoint), "azureml/deployment.yml": _yaml(deployment)}


def _kserve(about: About) -> dict[str, str]:
    config = about.config
    memory = f"{config.memory_mb or _USUAL_MEMORY_MB}Mi"
    cpu = f"{round((config.cpus or 1.0) * 1000)}m"
    variables = {"SLIPWAY_WORKERS": str(config.workers)} | dict.fromkeys(config.env_vars, "<value>")
    look = {"httpGet": {"path": _HEALTH, "port": PORT}, "periodSeconds": 5}
    container = {
        # KServe knows its own by this name.
        "name": "kserve-container",
        "image": f"<registry>/{about.image}",
        "args": ["serve"],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}},
        "readinessProbe": look,
        "startupProbe": {**look, "failureThreshold": 120},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": about.slug},
        "spec": {
            "predictor": {
                "minReplicas": config.instances,
                "timeout": config.timeout_s,
                "containers": [container],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }
        },
    }
    return {"kserve/inferenceservice.yaml": _yaml(service)}


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: not every reader knows references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return text


_MAKERS: dict[ExportKind, Callable[[About], dict[str, str]]] = {
    ExportKind.DOCKER: _docker,
    ExportKind.SAGEMAKER: _sagemaker,
    ExportKind.AZUREML: _azureml,
    ExportKind.KSERVE: _kserve,
}
