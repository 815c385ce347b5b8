"""Calls a model without a pause and checks each answer: a process of its own, which nobody kills.

`python -m tests.serving_kills.load URL FILE CALLERS` with the token in SLIPWAY_LOAD_TOKEN. Each line of the file is
JSON: `{"at": seconds, "bad": reason}` for a call that went wrong, and twice a second `{"at": …, "answered": so many}`.
Times are of the machine's clock that only goes forward, which all its processes share.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tests.serving_kills.model import FACTORS

_TIMEOUT = 10.0
_PAUSE = 0.01


class _Load:
    def __init__(self, url: str, file: Path) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.path = parts.hostname or "", parts.port or 80, parts.path
        self._file = file.open("a", buffering=1)
        self._lock = threading.Lock()
        self.answered = 0

    def tell(self, **what: object) -> None:
        with self._lock:
            self._file.write(json.dumps({"at": time.monotonic(), **what}) + "\n")

    def call_on(self, seed: int) -> None:
        chance, connection = random.Random(seed), None
        while True:
            value = chance.randint(1, 10_000)
            try:
                connection = connection or HTTPConnection(self.host, self.port, timeout=_TIMEOUT)
                bad = self._call(connection, value)
            except (OSError, HTTPException) as error:
                bad = f"{type(error).__name__}: {error}"
                connection = None
            if bad:
                self.tell(bad=bad)
                # Who was refused does not hammer.
                time.sleep(0.05)
            else:
                with self._lock:
                    self.answered += 1
            time.sleep(_PAUSE)

    def _call(self, connection: HTTPConnection, value: int) -> str:
        body = json.dumps({"dataframe_split": {"columns": ["x"], "data": [[value]]}})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['SLIPWAY_LOAD_TOKEN']}"}
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            return f"{answer.status} {content[:200].decode(errors='replace')}"
        version = int(answer.headers.get("X-Slipway-Version", "0"))
        predicted = json.loads(content)["predictions"]
        allowed = [FACTORS[version - 1] * value] if version else [factor * value for factor in FACTORS]
        return "" if predicted in ([each] for each in allowed) else f"WRONG: {value} gave {predicted} of {version}"


def main() -> None:
    """Until killed."""
    load = _Load(sys.argv[1], Path(sys.argv[2]))
    for seed in range(int(sys.argv[3])):
        threading.Thread(target=load.call_on, args=(seed,), daemon=True).start()
    while True:
        time.sleep(0.5)
        load.tell(answered=load.answered)


if __name__ == "__main__":
    main()
