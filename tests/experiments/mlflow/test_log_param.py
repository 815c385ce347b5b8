from __future__ import annotations

from typing import Any

import pytest

from tests.experiments.logging import get_run, make_run
from tests.personas import People, Persona


def log(who: Persona, run_id: str, key: Any = "p", value: Any = "1", expect: int = 200) -> Any:
    return who.call("POST", "runs/log-parameter", {"run_id": run_id, "key": key, "value": value}, expect=expect)


def test_it_is_written_once(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id)
    log(people.ben, run_id)
    assert log(people.ada, run_id, value="2", expect=400) == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "Changing param values is not allowed. Param with key='p' was already logged with value='1' "
        f"for run ID='{run_id}'. Attempted logging new value '2'.",
    }
    assert get_run(people.ada, run_id)["data"]["params"] == [{"key": "p", "value": "1"}]


def test_long_values_are_cut_and_empty_ones_kept(people: People) -> None:
    run_id = make_run(people.ada)
    for _ in range(2):
        log(people.ada, run_id, "long", "v" * 6001)
    log(people.ada, run_id, "none", None)
    params = {param["key"]: param["value"] for param in get_run(people.ada, run_id)["data"]["params"]}
    assert params == {"long": "v" * 6000, "none": ""}


@pytest.mark.parametrize("key", ["", "k" * 251, "../x", "a#", ".", "a\0"])
def test_bad_keys(people: People, key: str) -> None:
    run_id = make_run(people.ada)
    assert log(people.ada, run_id, key, expect=400)
    assert "params" not in get_run(people.ada, run_id)["data"]


def test_values_are_text(people: People) -> None:
    assert log(people.ada, make_run(people.ada), value=5, expect=400)


def test_who_may(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.vera, run_id, expect=403)
    log(people.cleo, run_id, expect=404)
    assert "params" not in get_run(people.ada, run_id)["data"]
