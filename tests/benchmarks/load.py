"""A load of one body over kept connections: by `wrk` where it is installed, else by sockets in a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[BODY]==]
done = function(summary, latency)
  io.write(string.format("FIGURES %d %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect,
    latency:percentile(50), latency:percentile(95)))
end
"""


@dataclass(frozen=True)
class Load:
    """Requests a second, latencies in milliseconds, and how many answers were no 200."""

    rate: float
    p50: float
    p95: float
    wrong: int


def measure(port: int, body: str, connections: int, seconds: float) -> Load:
    """POST the body to /invocations on this host, again and again."""
    return _wrk(port, body, connections, seconds) if shutil.which("wrk") else _sockets(port, body, connections, seconds)


def _wrk(port: int, body: str, connections: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(_LUA.replace("BODY", body))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        said = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/invocations"], check=True, capture_output=True, text=True
        ).stdout
    found = re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    assert found is not None, said
    requests, microseconds, wrong, p50, p95 = map(int, found.groups())
    return Load(requests / microseconds * 1e6, p50 / 1000, p95 / 1000, wrong)


def _sockets(port: int, body: str, connections: int, seconds: float) -> Load:
    command = [sys.executable, "-m", "tests.benchmarks.load", str(port), str(connections), str(seconds)]
    said = subprocess.run(command, input=body, check=True, capture_output=True, text=True).stdout
    return Load(**json.loads(said))


class _Caller(asyncio.Protocol):
    """One connection, which sends again when it has been answered."""

    def __init__(self, request: bytes, took: list[float], wrong: list[bytes]) -> None:
        self.request, self.took, self.wrong = request, took, wrong
        self.data = b""
        self.began = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        self.data, self.began = b"", time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if length is not None and len(body) >= int(length[1]):
            self.took.append(time.perf_counter() - self.began)
            if not head.startswith(b"HTTP/1.1 200"):
                self.wrong.append(head)
            self.send()


async def _run(port: int, connections: int, seconds: float, body: bytes) -> Load:
    head = "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    took: list[float] = []
    wrong: list[bytes] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Caller(request, took, wrong), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    length = time.perf_counter() - began
    for transport, _ in made:
        transport.abort()
    took.sort()
    return Load(len(took) / length, 1000 * took[len(took) // 2], 1000 * took[len(took) * 95 // 100], len(wrong))


if __name__ == "__main__":
    figures = asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.stdin.read().encode()))
    print(json.dumps(figures.__dict__))
