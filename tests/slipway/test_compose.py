"""`compose.yaml` and what lies beside it, as far as that can be told without an engine (tests/compose has one)."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
OURS = {"web", "worker", "serving", "scheduler"}
OTHERS = {"proxy", "postgres", "valkey", "s3"}
ONCE = {"prepare", "migrate", "bucket"}
OPTIONAL = {name for name, service in SERVICES.items() if service.get("profiles")}


def test_every_part_is_there_and_waits_for_what_it_needs() -> None:
    assert set(SERVICES) - OPTIONAL == OURS | OTHERS | ONCE
    for name in OURS:
        for once in ("migrate", "bucket"):
            assert SERVICES[name]["depends_on"][once]["condition"] == "service_completed_successfully"
    for name in OTHERS:
        assert SERVICES[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    assert all(SERVICES[name]["restart"] == "no" for name in ONCE)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_a_service_is_checked_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "no-new-privileges:true" in service["security_opt"]
    # The image of ours has its own user.
    assert "user" in service or service["image"].startswith("${SLIPWAY_IMAGE")
    if name not in OPTIONAL:
        assert "docker.sock" not in str(service)


def test_secrets_are_files() -> None:
    environments = [str(service.get("environment", {})) for service in SERVICES.values()]
    named = set(re.findall(r"'(\w*(?:PASSWORD|SECRET|ENCRYPTION_KEY)\w*)'", " ".join(environments)))
    assert {name for name in named if not name.endswith("_FILE")} == {
        "SLIPWAY_SECRET_KEY_FALLBACKS",
        "SLIPWAY_PASSWORD_SIGN_IN",
    }
    made = set(re.findall(r"^(?:make|optional) (\w+)", (ROOT / "deploy" / "secrets.sh").read_text(), re.MULTILINE))
    # A token is made by the server that it opens.
    assert made == set(yaml.safe_load(COMPOSE)["secrets"]) - {"metrics_token"}


def test_monitoring_is_opt_in_and_finds_its_files() -> None:
    assert {name for name in OPTIONAL if SERVICES[name]["profiles"] == ["monitoring"]} == {"prometheus", "grafana"}
    assert SERVICES["prometheus"]["secrets"] == ["metrics_token"]
    assert "ports" not in SERVICES["prometheus"]
    for name in ("prometheus", "grafana"):
        mounted = [volume.split(":")[0] for volume in SERVICES[name]["volumes"] if volume.startswith("./")]
        assert all((ROOT / path).exists() for path in mounted)


def test_the_example_names_each_variable_with_its_default() -> None:
    # A doubled dollar is the shell's in the container.
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE))
    named = dict(re.findall(r"^(?:# )?([A-Z]\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert set(named) == used
    defaults = dict(re.findall(r"(?<!\$)\$\{(\w+):-([^${}]*)\}", COMPOSE))
    assert {name: named[name] for name in defaults} == defaults


def test_what_has_no_default_is_asked_for_once() -> None:
    asked = re.findall(r"\$\{(\w+):\?", COMPOSE)
    assert sorted(asked) == ["SLIPWAY_PUBLIC_URL", "SLIPWAY_SECRETS"]
    assert set(asked) == set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))


def test_the_image_runs_as_nobody_special() -> None:
    lines = (ROOT / "platform" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER slipway"
    assert lines[-1] == 'CMD ["up", "--host", "0.0.0.0"]'
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'    org.opencontainers.image.version="{version}"' in lines


def test_the_profile_leaves_namespaces_open_and_closes_the_rest() -> None:
    profile = json.loads((ROOT / "deploy" / "seccomp-sandbox.json").read_text())
    (closed,) = profile["syscalls"]
    assert closed["action"] == "SCMP_ACT_ERRNO"
    assert not {"clone", "clone3", "unshare", "mount", "umount2", "pivot_root"} & set(closed["names"])
    assert {"bpf", "init_module", "kexec_load", "keyctl", "open_by_handle_at", "perf_event_open", "reboot"} <= set(
        closed["names"]
    )
