"""Instances as objects of a Kubernetes cluster: a Deployment of pods behind a Service, that grows with its load."""

from apps.deployments.targets.kubernetes.target import KubernetesTarget, kubernetes_target

__all__ = ["KubernetesTarget", "kubernetes_target"]
