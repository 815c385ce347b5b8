"""The pictures of the README, taken of the demo and of one deployment: `python -m tests.e2e.screenshots`."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from PIL import Image

from tests.compose.asking import BIN, ran
from tests.e2e.browser import chromium, overflow, signed_in
from tests.servers import ADMIN_PASSWORD, Server, slipway_up
from tests.waiting import until

FOLDER = Path(__file__).parents[2] / "docs" / "img"
_SIZE = {"width": 1280, "height": 800}
_CALLS = 400
# Each page of the demo, and what has to be there before its picture is taken.
PAGES = {
    "runs": ("/experiments/1/", "table"),
    "comparison": ("/compare/?runs={runs}", ".js-plotly-plot"),
    "approval": ("/approvals/3/", "main"),
    "deployment": ("/deployments/iris/", ".js-plotly-plot"),
}


def take(server: Server, to: Path) -> list[Path]:
    """A picture of each page, in light and dark; none may be wider than its window."""
    to.mkdir(parents=True, exist_ok=True)
    made, runs = [], ",".join(_some_runs(server))
    with chromium() as browser:
        for scheme in ("light", "dark"):
            with signed_in(
                browser, server, "admin", ADMIN_PASSWORD, viewport=_SIZE, color_scheme=scheme, device_scale_factor=1
            ) as page:
                for name, (path, wanted) in PAGES.items():
                    made.append(_picture(page, path.format(runs=runs), wanted, to / f"{name}-{scheme}.webp"))
    return made


def _picture(page: Any, path: str, wanted: str, to: Path) -> Path:
    page.goto(path)
    page.locator(wanted).first.wait_for()
    page.wait_for_load_state("networkidle")
    assert overflow(page) <= 0, path
    Image.open(io.BytesIO(page.screenshot())).save(to, quality=80, method=6)
    return to


def _some_runs(server: Server) -> list[str]:
    """The last of one experiment."""
    headers = {"Authorization": f"Bearer {server.token}"}
    body = {"experiment_ids": ["2"], "max_results": 4}
    found = requests.post(f"{server.url}/api/2.0/mlflow/runs/search", json=body, headers=headers, timeout=60)
    return [run["info"]["run_id"] for run in found.json()["runs"]]


def fill(server: Server) -> None:
    """The demo's teams, and iris behind an address that was called."""
    server.command("seed_demo", "--password-stdin", stdin=f"{ADMIN_PASSWORD}\n")
    root = Path(__file__).parents[2]
    script = root / "tests" / "e2e" / "scripts" / "register_iris.py"
    ran([BIN / "python", script, root / "docs" / "examples" / "iris" / "iris.csv"], server.client_env(), root)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.token}"
    deployments = f"{server.url}/api/v1/deployments/"

    def made(path: str, **body: Any) -> None:
        session.post(f"{deployments}{path}", json=body, timeout=60).raise_for_status()

    def is_ready(number: int) -> bool:
        found = session.get(f"{deployments}iris/revisions/{number}/", timeout=60).json()
        return bool(found["state"] == "ready")

    made("", name="iris", model="iris-classifier", version=1, config={"instances": 2})
    until(lambda: is_ready(1), 600)
    made("iris/deploy/", version=2, canary=True)
    until(lambda: is_ready(2), 600)
    made("iris/shift/", weights={"1": 75, "2": 25})
    for _ in range(_CALLS):
        session.post(f"{server.url}/serve/iris/invocations", json={"data": [[5.1, 3.5, 1.4, 0.2]]}, timeout=60)
        time.sleep(0.02)


def main() -> None:
    """Take all of them anew."""
    with TemporaryDirectory() as home, slipway_up(Path(home), SLIPWAY_ADMIN_PASSWORD=ADMIN_PASSWORD) as server:
        fill(server)
        for file in take(server, FOLDER):
            sys.stdout.write(f"{file.name}: {file.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
