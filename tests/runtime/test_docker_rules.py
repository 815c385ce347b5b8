"""What a project or its caller may not have of the engine's host. No engine is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apps.core.errors import DomainError, InvalidInput
from apps.runtime.docker import CALLERS_OWN, Rules, variables_of
from apps.runtime.docker.arguments import Arguments, arguments_of
from apps.runtime.docker.rules import Folder, sites_of
from apps.runtime.docker.volumes import mounts_of
from apps.runtime.environments.kinds import DockerEnvironment

SITE = Rules(networks=("bridge", "models"))


@pytest.mark.parametrize(
    "name",
    ["privileged", "--privileged", "pid", "v", "volume", "mount", "cap-add", "security-opt", "device", "env-file",
     "ipc", "userns", "cgroup-parent", "entrypoint", "runtime", "add-host", "uts", "link", "group-add", ""],
)  # fmt: skip
@pytest.mark.parametrize("rules", [SITE, CALLERS_OWN])
def test_arguments_that_are_not_known_to_be_harmless_are_refused(name: str, rules: Rules) -> None:
    with pytest.raises(InvalidInput, match="for Docker is not taken"):
        arguments_of({name: "host"}, rules)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", "lots"), ("memory", "-1"), ("shm-size", ""), ("cpus", "0"), ("cpus", "nan"), ("cpus", "inf"),
        ("pids-limit", "-1"), ("gpus", "some"), ("gpus", "all,capabilities=x"), ("user", "0;id"), ("user", "--help"),
        ("network", "host"), ("network", "container:db"), ("net", "host"),
    ],
)  # fmt: skip
def test_values_that_are_wrong_or_not_allowed_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        arguments_of({name: value}, SITE)


def test_what_is_taken() -> None:
    given = {
        "m": "1g",
        "--cpus": "1.5",
        "shm-size": "64m",
        "u": "1000:1000",
        "network": "models",
        "rm": "True",
        "t": "",
    }
    wanted = Arguments(cpus=1.5, memory=1024**3, shm_size=64 * 1024**2, user="1000:1000", network="models")
    assert arguments_of(given, SITE) == wanted
    assert arguments_of({"gpus": '"device=0,GPU-12"', "network": "host"}, CALLERS_OWN).gpus == "device=0,GPU-12"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for name in ("sets/deep", "scratch/deep", "private", "slipway/data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sets" / "link").symlink_to(tmp_path / "private")
    return tmp_path


def rules_of(host: Path) -> Rules:
    allowed = (Folder(host / "sets"), Folder(host / "scratch", is_writable=True), Folder(host / "slipway"))
    return Rules(volumes=allowed, hidden=(host / "slipway" / "data",))


@pytest.mark.parametrize(
    ("volume", "source", "read_only"),
    [
        ("{}/sets:/sets", "sets", True),
        ("{}/sets/deep:/sets:ro", "sets/deep", True),
        ("{}/sets/../sets/deep:/sets", "sets/deep", True),
        ("{}/scratch:/scratch", "scratch", False),
        ("{}/scratch:/scratch:ro", "scratch", True),
    ],
)
def test_volumes_below_what_the_operator_allows(volume: str, source: str, read_only: bool, host: Path) -> None:
    (mount,) = mounts_of((volume.format(host),), rules_of(host))
    assert (mount["Source"], mount["ReadOnly"]) == (str(host / source), read_only)


@pytest.mark.parametrize(
    "volume",
    [
        "{}/private:/x", "{}/sets/link:/x", "{}/sets/../private:/x", "{}:/x", "/:/x", "/etc:/x", "{}/sets:/x:rw",
        "{}/scratch/deep:/x", "{}/slipway:/x", "{}/slipway/data:/x", "{}/sets/none:/x", "named:/x", "relative/x:/x",
        "{}/sets", "{}/sets:", ":/x", "{}/sets:/x:z", "{}/sets:x", "{}/sets:/", "{}/sets:/mlflow",
        "{}/sets:/mlflow/projects/code/data", "/var/run/docker.sock:/var/run/docker.sock", "/var/run:/x", "/run:/x",
        "/proc:/x",
    ],
)  # fmt: skip
def test_other_volumes_are_refused(volume: str, host: Path) -> None:
    with pytest.raises(InvalidInput):
        mounts_of((volume.format(host),), rules_of(host))


@pytest.mark.skipif(not Path("/run").is_dir(), reason="/run is not there")
@pytest.mark.parametrize("volume", ["/run:/x", "/:/x", "/var/run:/x"])
def test_the_engines_socket_is_mounted_for_nobody(volume: str) -> None:
    with pytest.raises(InvalidInput, match="whatever the settings say"):
        mounts_of((volume,), CALLERS_OWN)


def test_on_ones_own_engine_any_folder_and_any_volume_of_the_engine(host: Path) -> None:
    one, other = mounts_of((f"{host}/private:/x", "named:/y:ro"), CALLERS_OWN)
    assert (one["Type"], one["ReadOnly"], other["Type"], other["ReadOnly"]) == ("bind", False, "volume", True)


def test_variables_are_the_callers_and_not_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_WORKER", "secret")
    environment = DockerEnvironment("image", variables=(("NEW", "v"), ("OF_THE_RUN", None)))
    assert variables_of(environment, {"OF_THE_RUN": "1", "OTHER": "2"}) == {"NEW": "v", "OF_THE_RUN": "1"}
    with pytest.raises(DomainError, match="not set: OF_THE_WORKER"):
        variables_of(DockerEnvironment("image", variables=(("OF_THE_WORKER", None),)), {})
    assert os.environ["OF_THE_WORKER"] == "secret"


def test_installations_that_share_an_engine_have_names_of_their_own() -> None:
    assert sites_of(["one", "two"]) != sites_of(["two", "one"])
    assert set(sites_of(["one", "two"])) == set(sites_of(["two", "one"]))
