"""The target: one instance is a Deployment with its Service, which the cluster keeps alive and widens by load."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.errors import DomainError, InvalidInput, NotFound
from apps.deployments.targets.base import LogPiece, NotPrepared, Observation, Say, Spec, Started
from apps.deployments.targets.docker import images
from apps.deployments.targets.docker.engine import CONTENT, SITE, engine_here
from apps.deployments.targets.docker.logs import CopiedLog
from apps.deployments.targets.image import Image, base_of, digest_of
from apps.deployments.targets.kubernetes import manifests
from apps.deployments.targets.kubernetes.cluster import Cluster
from apps.deployments.targets.kubernetes.manifests import INSTANCE, Wishes
from apps.deployments.targets.kubernetes.reading import Found, address_of, age_of, observation_of
from apps.runtime.docker.rules import rules_of_site

_YOUNG_SECONDS = 60
_KINDS = ("HorizontalPodAutoscaler", "NetworkPolicy", "Service", "Secret")


@dataclass(frozen=True, slots=True)
class KubernetesTarget:
    """Objects in one namespace of a cluster. `root`: where copies of logs are.

    Images are built by this host's Docker engine and pushed to `repository`, which has to be one that the cluster's
    nodes pull from. `base`, `network`, `sites`: as for the engine's own containers.
    """

    root: Path
    cluster: Cluster
    wishes: Wishes
    repository: str
    base: str
    network: str
    sites: tuple[str, ...]

    def lacks(self) -> tuple[str, ...]:
        """Why nothing can be started there, in sentences; empty where it can."""
        if self.cluster.kubeconfig and "/" not in self.repository:
            return ("SLIPWAY_SERVING_REPOSITORY has to name a registry that the cluster pulls images from.",)
        return self.cluster.why_not()

    def prepare(self, spec: Spec, say: Say, is_cancelled: Callable[[], bool]) -> None:
        """Build the image, and push it to where the cluster finds it. A note here says that it was."""
        image = self._image(spec)
        with images.building(self.root, image.key, is_cancelled):
            if self._note(image).exists():
                say("The image was pushed already.")
                return
            with engine_here() as engine:
                name = self._name(image)
                if images.found(engine, name) is None:
                    labels = {SITE: self.sites[0], CONTENT: image.key}
                    how = {"labels": labels, "network_mode": None if self.network == "bridge" else self.network}
                    images.build(engine, image, spec.model, name, how, say, is_cancelled)
                images.push(engine, self.repository, image.key, say, is_cancelled)
            self._note(image).touch()
            say("The image was pushed.")

    def start(self, spec: Spec) -> Started:
        """Make its objects; the same again is the same."""
        image = self._image(spec)
        if not self._note(image).exists():
            raise NotPrepared("The image was not pushed from this host.")
        wanted = manifests.objects_of(spec, self._name(image), self.wishes)
        secret, deployment, *others = wanted
        self.cluster.apply(secret)
        made = self.cluster.apply(deployment)
        owner = _owner(made)
        for each in (secret, *others):
            # With the Deployment they go too, whoever deletes it.
            each["metadata"]["ownerReferences"] = [owner]
            self.cluster.apply(each)
        name = manifests.name_of(spec)
        handle = {"instance": spec.instance, "name": name}
        if spec.config.memory_mb is not None:
            handle["memory_mb"] = spec.config.memory_mb
        return Started(handle, self._address(name), "pod", manifests.unenforced(spec))

    def observe(self, handles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, Observation]:
        """Of each, what the cluster says: two questions for all, one more for each behind a balancer."""
        labels = {"labelSelector": f"{manifests.SITE} in ({','.join(self.sites)})"}
        deployments = {each["metadata"]["name"]: each for each in self.cluster.all_of("Deployment", labels)}
        pods: dict[str, list[dict[str, Any]]] = {}
        for pod in self.cluster.all_of("Pod", labels):
            pods.setdefault(pod["metadata"].get("labels", {}).get(INSTANCE, ""), []).append(pod)
        return {
            number: observation_of(
                Found(deployments.get(str(handle["name"])), pods.get(str(handle["instance"]), [])),
                handle.get("memory_mb"),
                partial(self._address, str(handle["name"])),
            )
            for number, handle in handles.items()
        }

    def end(self, handle: Mapping[str, Any], grace_s: float) -> None:
        """Delete the Deployment: its pods are asked to end, and it is there until they have."""
        if grace_s <= 0:
            for pod in self._pods(handle):
                self.cluster.delete("Pod", pod["metadata"]["name"], grace_s=0)
        self.cluster.delete("Deployment", str(handle["name"]))

    def log(self, handle: Mapping[str, Any], start: int, at_most: int) -> LogPiece:
        """What its oldest pod wrote from a place on, and the one before it where that died."""
        log = CopiedLog(self.root / str(int(handle["instance"])))
        with suppress(DomainError):
            pods = sorted(self._pods(handle), key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
            for pod in pods[:1]:
                self._copy(log, pod)
        return log.read(start, at_most)

    def forget(self, handle: Mapping[str, Any]) -> None:
        """Delete what is left of one that has ended."""
        for kind in ("Deployment", *_KINDS):
            self.cluster.delete(kind, str(handle["name"]))
        shutil.rmtree(self.root / str(int(handle["instance"])), ignore_errors=True)

    def strays(self, known: Iterable[int]) -> list[Mapping[str, Any]]:
        """Deployments of ours that nobody knows. `known` is gone through after the cluster was asked."""
        labels = {"labelSelector": f"{manifests.SITE} in ({','.join(self.sites)})"}
        found = {
            int(each["metadata"]["labels"][INSTANCE]): each["metadata"]["name"]
            for each in self.cluster.all_of("Deployment", labels)
            if age_of(each) > _YOUNG_SECONDS
        }
        strangers = set(found) - set(known)
        return [{"instance": number, "name": found[number]} for number in sorted(strangers)]

    def _copy(self, log: CopiedLog, pod: Mapping[str, Any]) -> None:
        name = str(pod["metadata"]["name"])
        statuses = pod.get("status", {}).get("containerStatuses") or []
        died = any(int(status.get("restartCount") or 0) for status in statuses)

        def source(since: str) -> bytes:
            query = {"timestamps": "true", **({"sinceTime": f"{since[:19]}Z"} if since else {"limitBytes": "4194304"})}
            before = b""
            if died:
                with suppress(NotFound, InvalidInput):
                    before = self.cluster.log(name, {**query, "previous": "true"})
            with suppress(NotFound, InvalidInput):
                return before + self.cluster.log(name, query)
            return before

        log.catch_up(source)

    def _address(self, name: str) -> str:
        if self.wishes.service == "ClusterIP":
            return f"http://{name}.{self.wishes.namespace}.svc:80"
        return address_of(self.cluster.get("Service", name))

    def _pods(self, handle: Mapping[str, Any]) -> list[dict[str, Any]]:
        chosen = f"{manifests.SITE} in ({','.join(self.sites)}),{INSTANCE}={int(handle['instance'])}"
        return self.cluster.all_of("Pod", {"labelSelector": chosen})

    def _image(self, spec: Spec) -> Image:
        return Image(base_of(self.base, spec.needs), spec.needs, spec.sha256 or digest_of(spec.model))

    def _name(self, image: Image) -> str:
        return f"{self.repository}:{image.key}"

    def _note(self, image: Image) -> Path:
        return self.root / f"{image.key}.pushed"


def kubernetes_target(root: Path) -> KubernetesTarget:
    """That of the installation's settings. `root`: the supervisor's folder of instances."""
    rules = rules_of_site()
    namespace = settings.KUBERNETES_NAMESPACE
    return KubernetesTarget(
        root=root / "kubernetes",
        cluster=Cluster(settings.KUBECONFIG, namespace, settings.KUBERNETES_CONTEXT),
        wishes=Wishes(
            namespace,
            rules.sites[0],
            settings.KUBERNETES_PODS,
            settings.KUBERNETES_SERVICE,
            settings.KUBERNETES_PULL_SECRET,
        ),
        repository=settings.SERVING_REPOSITORY,
        base=settings.SERVING_IMAGE,
        network=settings.DOCKER_NETWORKS[0],
        sites=rules.sites,
    )


def _owner(made: Mapping[str, Any]) -> dict[str, Any]:
    metadata = made["metadata"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
