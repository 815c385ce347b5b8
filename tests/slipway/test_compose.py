"""`compose.yaml` and the image, as far as that can be told without running them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text()


def test_every_part_is_there_and_waits_for_what_it_needs() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    assert set(services) == {"web", "worker", "scheduler", "migrate", "postgres", "valkey", "s3"}
    for name in ("web", "worker", "scheduler"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert all("healthcheck" in services[name] for name in ("web", "postgres", "valkey", "s3"))


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(:?[-?+]?)", COMPOSE)
    assert secrets
    assert {operator for _, operator in secrets} == {":?"}


def test_the_example_names_every_variable_that_has_no_default() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == wanted


def test_the_image_runs_as_nobody_special() -> None:
    lines = (ROOT / "platform" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER slipway"
    assert lines[-1] == 'CMD ["up", "--host", "0.0.0.0"]'
