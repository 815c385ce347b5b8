"""A small API server that keeps objects as a cluster's does: apply, get, list by labels, delete, logs of pods."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "let-me-in"
_PATH = re.compile(r"/(?:api|apis)/.+/namespaces/(?P<space>[^/]+)/(?P<kind>[^/]+)(?:/(?P<name>[^/]+))?(?P<log>/log)?")


class FakeCluster:
    """`objects` by (kind of many, name). `refuse`: what the next calls are answered, `(status, message)`."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.refuse: tuple[int, str] | None = None
        self.address = ""

    def add_pod(self, instance: int, site: str, **status: Any) -> None:
        """As the cluster would have made one."""
        labels = {"serving.slipway/site": site, "serving.slipway/instance": str(instance)}
        name = f"pod-{instance}"
        metadata = {"name": name, "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.objects["pods", name] = {"metadata": metadata, "status": status}

    def answer(self, method: str, url: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        self.asked.append((method, parts.path, content_type))
        match = _PATH.fullmatch(parts.path)
        if self.refuse is not None:
            return self._status(*self.refuse)
        if match is None or match["space"] != "serving":
            return self._status(404, f"there is no {parts.path}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind, name = match["kind"], match["name"]
        if match["log"]:
            return 200, self.logs.get(name, "").encode()
        if name is None:
            return 200, json.dumps({"items": self._chosen(kind, query.get("labelSelector", ""))}).encode()
        return self._one(method, kind, name, query, body, content_type)

    def _one(
        self, method: str, kind: str, name: str, query: dict[str, str], body: bytes, content_type: str
    ) -> tuple[int, bytes]:
        known = self.objects.get((kind, name))
        if method == "PATCH":
            assert content_type == "application/apply-patch+yaml"
            assert query == {"fieldManager": "slipway", "force": "true"}
            wanted = json.loads(body)
            made = {"uid": str(uuid.uuid4()), "creationTimestamp": "2026-01-01T00:00:00Z"}
            kept = {name: (known or {"metadata": made})["metadata"][name] for name in made}
            wanted["metadata"] |= kept
            self.objects[kind, name] = {**(known or {}), **wanted}
            return 200, json.dumps(self.objects[kind, name]).encode()
        if known is None:
            return self._status(404, f'{kind} "{name}" not found')
        if method == "DELETE":
            self._delete(kind, name)
        return 200, json.dumps(known).encode()

    def _delete(self, kind: str, name: str) -> None:
        gone = self.objects.pop((kind, name))
        for key, each in list(self.objects.items()):
            owners = each["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == gone["metadata"].get("uid") for owner in owners):
                self.objects.pop(key)

    def _chosen(self, kind: str, selector: str) -> list[dict[str, Any]]:
        wanted = []
        for key, several, one in re.findall(r"([\w./-]+)(?: in \(([^)]*)\)|=([^,]*))", selector):
            wanted.append((key, several.split(",") if several else [one]))
        found = [each for (of, _), each in self.objects.items() if of == kind]
        return [
            each
            for each in found
            if all(each["metadata"].get("labels", {}).get(key) in values for key, values in wanted)
        ]

    def _status(self, code: int, message: str) -> tuple[int, bytes]:
        return code, json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": code}).encode()


@contextmanager
def fake_cluster() -> Iterator[FakeCluster]:
    """One that listens on the loopback."""
    cluster = FakeCluster()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                code, answer = 401, b'{"message": "Unauthorized"}'
            else:
                kind = self.headers.get("Content-Type") or ""
                code, answer = cluster.answer(self.command, self.path, body, kind)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PATCH = do_DELETE = do_POST = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
