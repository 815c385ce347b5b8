"""The examples of the registry, unmodified: who trains asks, a job of CI checks and waits, and people decide."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients import IRIS, client_python, run_script
from tests.e2e.registry import Caller, govern, newcomer, service_account
from tests.servers import Server

EXAMPLES = IRIS.parent / "registry"
pytestmark = pytest.mark.client
CHECK = {"name": "accuracy-on-holdout", "reporter": "ci-bot"}


@pytest.fixture(scope="module")
def mia(up: Server) -> Caller:
    return newcomer(up, "examples-mia", "maintainer")


@pytest.fixture(scope="module")
def bot(up: Server) -> Caller:
    return service_account(up, "ci-bot")


@pytest.fixture(scope="module")
def trained(up: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model with two versions by another member, about which nothing is asked any more."""
    tom, name = newcomer(up, "examples-tom"), "checked"
    script, folder = EXAMPLES / "promote.py", tmp_path_factory.mktemp("trained")
    printed = run_script(client_python("3.17.2"), script, tom.env(), folder, name, "--stage", "Staging")
    tom("POST", f"v1/promotion-requests/{printed.rstrip('/').rpartition('/')[2]}/cancel/")
    return name


@pytest.mark.parametrize("release", ["2.22.*", "3.6.*", "3.17.2"])
def test_a_member_trains_and_asks(release: str, up: Server, mia: Caller, tmp_path: Path) -> None:
    name = f"promoted-{release[:4]}"
    tom = newcomer(up, f"tom-{release[:4]}")
    printed = run_script(client_python(release), EXAMPLES / "promote.py", tom.env(), tmp_path, name)
    address = re.search(rf"{re.escape(name)} version 2 waits at {up.url}/approvals/(\d+)/", printed)
    assert address, printed
    evidence = mia("GET", f"v1/promotion-requests/{address[1]}/")
    assert (evidence["request"]["requester"], evidence["may_decide"]) == (tom.name, True)
    about = {"name": name, "version": "2", "stage": "Production", "archive_existing_versions": True}
    mia("POST", "2.0/mlflow/transition-requests/approve", about)
    assert tom.stage_of(name, "2") == "Production"


def test_a_job_hears_no_and_waits_no_longer_than_told(mia: Caller, bot: Caller, trained: str, tmp_path: Path) -> None:
    late = _job(bot, tmp_path, trained, "--wait", "0")
    printed, _ = late.communicate(timeout=60)
    assert (late.returncode, printed.strip()) == (2, f"{trained} version 2: the request is open")
    asked = _open_request(mia, trained)
    # Run again it waits for the same request.
    again = _job(bot, tmp_path, trained, "--wait", "0")
    assert (again.communicate(timeout=60)[0], again.returncode) == (printed, 2)
    assert _open_request(mia, trained) == asked
    mia("POST", f"v1/promotion-requests/{asked}/reject/", {"comment": "Not yet."})
    weak = _job(bot, tmp_path, trained, "--least", "1.01")
    assert (weak.communicate(timeout=60)[0].strip(), weak.returncode) == (f"{trained} version 2 is not good enough", 1)
    assert mia.stage_of(trained, "2") == "None"


def test_a_job_checks_asks_and_waits(up: Server, mia: Caller, bot: Caller, trained: str, tmp_path: Path) -> None:
    govern(up, trained, gates=[{"kind": "check", "params": CHECK}])
    job = _job(bot, tmp_path, trained, "2", "--wait", "300")
    asked = _open_request(mia, trained)
    _until(lambda: mia("GET", f"v1/promotion-requests/{asked}/")["gates"][0]["state"] == "passed")
    # Who holds the account would decide on their own request.
    bot("POST", f"v1/promotion-requests/{asked}/approve/", expect=403)
    mia("POST", f"v1/promotion-requests/{asked}/approve/", {"comment": "The job is green."})
    printed, _ = job.communicate(timeout=360)
    assert (job.returncode, printed.strip()) == (0, f"{trained} version 2: the request is applied")
    once_more = _job(bot, tmp_path, trained, "2")
    printed, _ = once_more.communicate(timeout=360)
    assert (once_more.returncode, printed.strip()) == (0, f"{trained} version 2 is in Production already")
    assert mia.stage_of(trained, "2") == "Production"


def _job(bot: Caller, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command: list[str | Path] = [client_python("3.17.2"), EXAMPLES / "ci.py", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=bot.env(), cwd=folder, stdout=pipe, stderr=pipe, text=True)


def _open_request(who: Caller, name: str) -> str:
    """The id of the one open request about a model, once it is there."""
    query = {"team": "default", "name": name, "state": "open"}
    _until(lambda: bool(who("GET", "v1/promotion-requests/", query)["results"]))
    found: str = who("GET", "v1/promotion-requests/", query)["results"][0]["request"]["id"]
    return found


def _until(is_so: Any, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.3)
