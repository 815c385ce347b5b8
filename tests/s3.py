"""A real S3 server for the tests that need one: seaweedfs, which checks signatures and their age."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.servers import free_port

KEY, SECRET, BUCKET = "slipway-tests", "a-secret-of-the-tests", "files"
# May read and nothing else; the secret is the same.
READER_KEY = "slipway-tests-reader"


def s3_is_there() -> bool:
    """Whether its program is installed."""
    return shutil.which("weed") is not None


def s3_client(url: str) -> Any:
    """boto3's, with all rights."""
    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
    )


@contextmanager
def s3_server(new_folder: Callable[[], Path]) -> Iterator[str]:
    """The address of one that has a bucket."""
    with ExitStack() as stack:
        # Of its eight ports another program may take one before it does; then it ends.
        homes = (new_folder() for _ in range(3))
        yield next(url for home in homes if (url := stack.enter_context(_server(home))))


@contextmanager
def _server(home: Path) -> Iterator[str]:
    """Its address, once it has a bucket; empty where it ended."""
    identities = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": SECRET}], "actions": actions}
        for name, key, actions in (
            ("all", KEY, ["Admin", "Read", "Write", "List", "Tagging"]),
            ("reader", READER_KEY, ["Read", "List"]),
        )
    ]
    (home / "s3.json").write_text(json.dumps({"identities": identities}))
    parts = ("master", "volume", "filer", "s3")
    ports = {f"{part}.{kind}": free_port() for part in parts for kind in ("port", "port.grpc")}
    options = [f"-{name}={port}" for name, port in ports.items()]
    command = ["weed", "server", f"-dir={home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", *options]
    command += [f"-s3.config={home / 's3.json'}", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # they would take fixed ports
    with (home / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{ports['s3.port']}"
        try:
            yield url if _has_bucket(url, ports["s3.port"], process, home / "log") else ""
        finally:
            process.terminate()


def _has_bucket(url: str, port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    client = s3_client(url)
    # It elects its leader first, which takes a busy machine a while.
    until = time.monotonic() + 150
    while time.monotonic() < until:
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            client.create_bucket(Bucket=BUCKET)
        except Exception:  # noqa: BLE001 - it is starting
            time.sleep(0.3)
        else:
            return True
    raise AssertionError(log.read_text()[-2000:])
