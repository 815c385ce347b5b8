"""Speaking to a cluster's API server: configured by the `kubernetes` client, in JSON, with errors in our words."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from urllib3.exceptions import HTTPError

from apps.core.errors import DomainError, InvalidInput, NotFound, Unavailable

IN_CLUSTER = "in-cluster"
MANAGER = "slipway"
_SECONDS = 20
_APPLY = "application/apply-patch+yaml"
# By kind: the API's path, and the name of many.
_PATHS = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Service": ("/api/v1", "services"),
    "Secret": ("/api/v1", "secrets"),
    "Pod": ("/api/v1", "pods"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One namespace of a cluster. `kubeconfig` is a file, or `in-cluster`; `context` one of the file's, or empty."""

    kubeconfig: str
    namespace: str
    context: str = ""

    def why_not(self) -> tuple[str, ...]:
        """Why it can't be used, in sentences."""
        if not self.kubeconfig:
            return ("No cluster is configured: SLIPWAY_KUBECONFIG names a file, or is in-cluster.",)
        if self.kubeconfig != IN_CLUSTER and not Path(self.kubeconfig).is_file():
            return (f"SLIPWAY_KUBECONFIG: there is no file {self.kubeconfig}.",)
        try:
            self.all_of("Deployment", {"limit": "1"})
        except DomainError as error:
            return (error.message,)
        return ()

    def apply(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object, or make it what is wanted."""
        path = f"{self._path(str(wanted['kind']))}/{wanted['metadata']['name']}"
        query = {"fieldManager": MANAGER, "force": "true"}
        return self._called("PATCH", path, query, json.dumps(wanted), {"Content-Type": _APPLY})

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object of that name."""
        try:
            return self._called("GET", f"{self._path(kind)}/{name}")
        except NotFound:
            return None

    def all_of(self, kind: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those that `query` asks for, by labels."""
        found: list[dict[str, Any]] = self._called("GET", self._path(kind), query).get("items") or []
        return found

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        """Delete it, and what belongs to it: whoever looks sees it until all of that is gone."""
        how: dict[str, Any] = {"propagationPolicy": "Foreground"}
        if grace_s is not None:
            how["gracePeriodSeconds"] = grace_s
        body = json.dumps({"apiVersion": "v1", "kind": "DeleteOptions", **how})
        try:
            self._called("DELETE", f"{self._path(kind)}/{name}", {}, body, {"Content-Type": "application/json"})
        except NotFound:
            return

    def log(self, pod: str, query: Mapping[str, str]) -> bytes:
        """What a pod wrote. Raises `NotFound`, and `InvalidInput` where it has not begun."""
        return self._asked("GET", f"{self._path('Pod')}/{pod}/log", query)

    def _called(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._asked(method, path, query, body, headers) or b"{}")
        return found

    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        client = _client(self.kubeconfig, self.context)
        from kubernetes.client.exceptions import ApiException

        url = f"{client.configuration.host.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
        said = {"Accept": "application/json", **(headers or {}), **_credentials(client)}
        try:
            answer = client.rest_client.request(method, url, headers=said, body=body, _request_timeout=_SECONDS)
            data = answer.data if answer.data is not None else answer.read()
        except ApiException as error:
            # Older clients raise what newer ones give back.
            if error.status:
                raise _refusal(error.status, _message(error.body) or str(error.reason)) from error
            raise Unavailable(f"The cluster's API server does not answer: {str(error.reason)[:300]}") from error
        except (OSError, ValueError, HTTPError) as error:
            raise Unavailable(f"The cluster's API server does not answer ({type(error).__name__}).") from error
        if answer.status >= 400:
            raise _refusal(answer.status, _message(data) or str(answer.reason))
        return data.encode() if isinstance(data, str) else bytes(data or b"")

    def _path(self, kind: str) -> str:
        base, many = _PATHS[kind]
        return f"{base}/namespaces/{self.namespace}/{many}"


def _credentials(client: Any) -> dict[str, str]:
    """What the configuration says; it fetches new ones where old ones have run out."""
    kinds = client.configuration.auth_settings().values()
    return {each["key"]: each["value"] for each in kinds if each["in"] == "header" and each["value"]}


@cache
def _client(kubeconfig: str, context: str) -> Any:
    try:
        client: Any = importlib.import_module("kubernetes.client")
        config: Any = importlib.import_module("kubernetes.config")
    except ImportError as error:
        raise Unavailable("The kubernetes client is not installed here: pip install 'slipway[kubernetes]'.") from error
    try:
        if kubeconfig == IN_CLUSTER:
            settings = client.Configuration()
            config.load_incluster_config(client_configuration=settings)
            return client.ApiClient(settings)
        return config.new_client_from_config(kubeconfig, context=context or None, persist_config=False)
    except config.ConfigException as error:
        raise InvalidInput(f"SLIPWAY_KUBECONFIG can't be used: {str(error)[:300]}") from error


def _refusal(status: int, said: str) -> DomainError:
    if status == 404:
        return NotFound(f"The cluster has no such object: {said}")
    if status in (401, 403):
        return InvalidInput(f"The cluster does not let Slipway do that: {said}")
    if status in (409, 429) or status >= 500:
        return Unavailable(f"The cluster can't do that now ({status}): {said}")
    return InvalidInput(f"The cluster refused: {said}")


def _message(body: Any) -> str:
    try:
        text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
        found = json.loads(text)
    except ValueError:
        return text[:500]
    return str(found.get("message", ""))[:1000] if isinstance(found, dict) else text[:500]
