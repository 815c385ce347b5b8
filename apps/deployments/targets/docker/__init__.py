"""Instances as containers of this host's Docker engine, from an image that is built once for each content."""

from apps.deployments.targets.docker.target import DockerTarget, docker_target

__all__ = ["DockerTarget", "docker_target"]
