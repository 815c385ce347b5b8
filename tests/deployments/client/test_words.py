from __future__ import annotations

from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.deployments.client.words import config_of, follow_of, number_of, pairs_of, truth_of, weights_of


def test_a_configuration_is_typed_by_what_it_looks_like() -> None:
    words = ["workers=2", "cpus=1.5", "batching=false", "network=yes", "memory_mb=", "target=docker", "sticky_header=7"]
    config = config_of(pairs_of([*words, "env_vars.LEVEL=3", "env_vars.URL=a=b"]))
    assert config == {
        "workers": 2,
        "cpus": 1.5,
        "batching": False,
        "network": True,
        "memory_mb": None,
        "target": "docker",
        "sticky_header": "7",
        "env_vars": {"LEVEL": "3", "URL": "a=b"},
    }
    assert config_of({"workers": 3, "env_vars": {"A": "1"}}) == {"workers": 3, "env_vars": {"A": "1"}}
    assert config_of({"workers": "many"}) == {"workers": "many"}
    assert config_of({"env_vars": '{"A": "1"}', "env_vars.B": "2"}) == {"env_vars": {"A": "1", "B": "2"}}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({"cpu": "1"}, "There is no 'cpu'"),
        ({"workers.x": "1"}, "There is no 'workers.x'"),
        ({"env_vars.B": "2", "env_vars": '{"A": "1"}'}, "as a whole and by name"),
    ],
)
def test_what_can_not_be_configured(pairs: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        config_of(pairs)


@pytest.mark.parametrize("words", [["workers"], ["=2"], ["a=1", "a=2"]])
def test_no_pairs(words: list[str]) -> None:
    with pytest.raises(InvalidInput):
        pairs_of(words)


def test_what_is_followed() -> None:
    assert follow_of("stage:Production", "apply") == {
        "follows": "stage",
        "followed": "Production",
        "follow_mode": "apply",
    }
    assert follow_of("alias:a:b") == {"follows": "alias", "followed": "a:b"}
    assert follow_of("fixed") == {"follows": "fixed", "followed": ""}
    for words in ("Production", "stage:", "fixed:x", "moon:x"):
        with pytest.raises(InvalidInput, match="can't be followed"):
            follow_of(words)


def test_weights() -> None:
    assert weights_of(["1=75", "2=25%"], 1) == {"1": 75, "2": 25}
    assert weights_of(["2=25"], 1) == {"2": 25, "1": 75}
    assert weights_of(["2=100"], 1) == {"2": 100}
    assert weights_of(["1=90"], 1) == {"1": 90}
    for words in ("2", "two=25", "2=much", "2=-5"):
        with pytest.raises(InvalidInput):
            weights_of([words], 1)


def test_single_values() -> None:
    assert (truth_of("wait", "Yes"), truth_of("wait", False), number_of("port", "5001")) == (True, False, 5001)
    with pytest.raises(InvalidInput, match="neither true nor false"):
        truth_of("wait", "perhaps")
    with pytest.raises(InvalidInput, match="no whole number"):
        number_of("port", "many")
