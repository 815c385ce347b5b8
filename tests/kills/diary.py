"""What the projects' own code tells of itself, to somebody who is not killed."""

from __future__ import annotations

import threading
import time
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


# Between its last word and its end a busy machine lets a process wait for so long.
_LAST_SECONDS = 1.0


@dataclass
class Diary:
    """`told`: `(key, attempt, what, when)` in the order of arrival; `kills`: whose processes were killed when."""

    port: int = 0
    told: list[tuple[str, str, str, float]] = field(default_factory=list)
    kills: list[tuple[str, float]] = field(default_factory=list)

    def of(self, key: str) -> list[tuple[str, str]]:
        """What the attempts of one run told: `(attempt, what)`."""
        return [(attempt, what) for other, attempt, what, _ in list(self.told) if other == key]

    def ended(self, key: str) -> list[str]:
        """Attempts that told their last word, but for those that were killed before they could end with it."""
        kills = [at for other, at in self.kills if other == key]
        return [
            attempt
            for other, attempt, what, at in list(self.told)
            if (other, what) == (key, "done") and not any(abs(kill - at) < _LAST_SECONDS for kill in kills)
        ]


@contextmanager
def diary() -> Iterator[Diary]:
    """One that listens."""
    kept = Diary()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            key, attempt, what = self.path.strip("/").split("/")
            kept.told.append((key, attempt, what, time.monotonic()))
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
