"""What the projects' own code tells of itself, to somebody who is not killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Numbered lines, and a word to the diary at the start, in between, and as the very last thing.
PROJECT = {
    "MLproject": """
name: kills
entry_points:
  main:
    parameters: {key: string, port: string, lines: string}
    command: "python work.py {key} {port} {lines}"
""",
    "work.py": """
import http.client, sys, time, uuid

key, port, lines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
me = uuid.uuid4().hex


def tell(what):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", f"/{key}/{me}/{what}")
    connection.getresponse().read()


tell("start")
for number in range(lines):
    print(f"#{number:05d}", flush=True)
    time.sleep(0.05)
    if number % 5 == 0:
        tell("on")
print("#end", flush=True)
tell("done")
""",
}


@dataclass
class Diary:
    """`told`: `(key, attempt, what)` in the order of arrival."""

    port: int = 0
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def of(self, key: str) -> list[tuple[str, str]]:
        """What the attempts of one run told: `(attempt, what)`."""
        return [(attempt, what) for other, attempt, what in list(self.told) if other == key]


@contextmanager
def diary() -> Iterator[Diary]:
    """One that listens."""
    kept = Diary()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            key, attempt, what = self.path.strip("/").split("/")
            kept.told.append((key, attempt, what))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: it is in the diary."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
