"""From an unpacked folder to an installation that runs, with no more rights than it needs."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.compose.engine import Engine
from tests.compose.stack import Stack


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("valkey_password", "", "it is empty"),
        ("secret_key", "a" * 64, "it is weak"),
        ("postgres_password", "p@ss/word:with-more", "letters, digits"),
    ],
)
def test_a_weak_secret_stops_the_start(unpacked: Stack, name: str, value: str, said: str) -> None:
    file = unpacked.folder / "secrets" / name
    before = file.read_text()
    file.chmod(0o644)
    file.write_text(value)
    try:
        done = unpacked.tried("up", "--detach", "--no-build", "--wait")
        assert done.returncode != 0
        assert 'service "prepare" didn\'t complete successfully: exit 2' in done.stderr
        (line,) = unpacked.tried("logs", "prepare", "--no-color", "--no-log-prefix").stdout.splitlines()
        assert line.startswith("slipway: ") and said in line and name in line
        running = {each["Service"] for each in unpacked.containers() if each["State"] == "running"}
        assert running == set()
    finally:
        unpacked.tried("down", "--volumes")
        file.write_text(before)


def test_the_script_names_the_secrets_in_the_settings(unpacked: Stack) -> None:
    assert f"SLIPWAY_SECRETS={unpacked.folder}/secrets" in (unpacked.folder / ".env").read_text().splitlines()


def test_what_is_missing_is_one_line(unpacked: Stack) -> None:
    env = (unpacked.folder / ".env").read_text()
    try:
        for name in ("SLIPWAY_PUBLIC_URL", "SLIPWAY_SECRETS"):
            (unpacked.folder / ".env").write_text(re.sub(rf"(?m)^{name}=.*$", f"{name}=", env))
            done = unpacked.tried("up", "--detach", "--no-build")
            assert done.returncode != 0
            assert len(done.stderr.splitlines()) == 1 and name in done.stderr
    finally:
        (unpacked.folder / ".env").write_text(env)


def test_it_comes_up(up: Stack, docker: Engine) -> None:
    states = {each["Name"]: (each["State"], each["Health"], each["ExitCode"]) for each in up.containers()}
    ended = {f"slipway-{name}-1" for name in ("prepare", "migrate", "bucket")}
    assert {name: state for name, state in states.items() if name in ended} == dict.fromkeys(ended, ("exited", "", 0))
    assert {state for name, state in states.items() if name not in ended} == {("running", "healthy", 0)}
    time.sleep(20)
    memory = memory_of(docker)
    print(f"\nup --wait: {up.seconds:.0f} s; idle memory: {sum(memory.values()):.0f} MiB {memory}")  # noqa: T201
    assert sum(memory.values()) < 1536


def test_nothing_runs_with_more_rights_than_it_needs(up: Stack, docker: Engine) -> None:
    for name in docker.docker("ps", "--format", "{{.Names}}").split():
        (found,) = json.loads(docker.docker("inspect", name))
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"] and not host["Privileged"] and host["CapDrop"] == ["ALL"], name
        assert (host["CapAdd"] or []) == (["CAP_NET_BIND_SERVICE"] if "proxy" in name else []), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] and host["PidsLimit"] and host["LogConfig"]["Config"]["max-size"] == "10m", name
        effective = docker.docker("exec", name, "sh", "-c", "grep -E '^(Uid|CapEff|CapPrm):' /proc/1/status")
        numbers = dict(line.split(":", 1) for line in effective.splitlines())
        assert int(numbers["Uid"].split()[0]) != 0 and int(numbers["CapPrm"], 16) == 0, (name, effective)


def test_secrets_are_in_no_environment(up: Stack, docker: Engine) -> None:
    everything = docker.docker("inspect", *docker.docker("ps", "--all", "--quiet").split())
    for file in (up.folder / "secrets").iterdir():
        # One is empty as long as no provider is set up.
        assert file.name == "oidc_client_secret" or file.read_text() not in everything


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ({"SLIPWAY_TLS": "internal"}, '"module":"internal"'),
        ({"SLIPWAY_TLS": "ops@example.org"}, "ops@example.org"),
        ({"SLIPWAY_TLS": "/certificates/full.pem /certificates/key.pem"}, '"certificate":"/certificates/full.pem"'),
        ({"SLIPWAY_SITE": "http://"}, '":80"'),
        ({"SLIPWAY_SITE": "http://", "SLIPWAY_OUTER_PROXIES": "10.0.0.5/32"}, '"trusted_proxies":["10.0.0.5/32"]'),
        ({"SLIPWAY_SITE": "https://slipway.test:8443", "SLIPWAY_HTTPS_PORT": "8443"}, '":8443"'),
    ],
)
def test_the_proxy_takes_what_the_example_offers(
    unpacked: Stack, docker: Engine, settings: dict[str, str], holds: str
) -> None:
    usual = {"SLIPWAY_SITE": "https://slipway.test", "SLIPWAY_TLS": "internal", "SLIPWAY_MAX_BODY": "100GB"}
    usual |= {"SLIPWAY_HTTP_PORT": "80", "SLIPWAY_HTTPS_PORT": "443", "SLIPWAY_OUTER_PROXIES": "127.0.0.1/32"}
    given = [f"--env={name}={value}" for name, value in (usual | settings).items()]
    place = f"--volume={unpacked.folder}/deploy/Caddyfile:/etc/caddy/Caddyfile:ro"
    command = ("caddy", "adapt", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
    assert holds in docker.docker("run", "--rm", "--network=none", "--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE",
                                  place, *given, "caddy:2", *command)  # fmt: skip


def memory_of(docker: Engine) -> dict[str, float]:
    """MiB of each running container."""
    lines = docker.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines()
    units = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
    found = {}
    for line in lines:
        name, used = line.split()[:2]
        found[name] = float(used[:-3]) * units[used[-3:]]
    return found
