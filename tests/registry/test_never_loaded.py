"""A model is a program of a stranger: nothing on the way to production opens its pickle or imports what it names."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from apps.registry import actions, facts
from apps.registry.models import ModelVersion
from apps.registry.policies import Rules
from tests.personas import People
from tests.registry.gates.cases import PRODUCTION, make_version
from tests.registry.gates.test_files import SIGNED, put

GATES = ({"kind": "signature", "params": {}}, {"kind": "input_example", "params": {}})


class Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.mark,))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "slipway-was-here"


def hostile(people: People, mark: Path) -> ModelVersion:
    """A version whose files run code wherever they are loaded, unpickled or constructed from YAML."""
    version = make_version(people.ada, people.forge)
    named = f"x: !!python/object/apply:os.system ['touch {mark}']\n"
    for name, content in (
        ("MLmodel", SIGNED.replace("mlflow.sklearn", "antigravity") + named),
        ("model.pkl", pickle.dumps(Evil(mark))),
        ("python_model.pkl", pickle.dumps(Evil(mark))),
        ("input_example.json", pickle.dumps(Evil(mark))),
        ("conda.yaml", named),
        ("requirements.txt", f"-e git+https://example.invalid/{mark}"),
    ):
        put(people.ada, version, name, content)
    return version


def test_it_proves_something(mark: Path) -> None:
    pickle.loads(pickle.dumps(Evil(mark)))  # noqa: S301
    assert mark.exists()


def test_registering_asking_judging_approving_and_looking_load_nothing(people: People, mark: Path) -> None:
    actions.set_policy(people.root.actor, slot=PRODUCTION, rules=Rules(approver_role="maintainer", gates=GATES))
    version = hostile(people, mark)
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    facts.judge_stale()
    browser = people.ada.browser()
    for page in ("versions/1/", "", "history/"):
        assert browser.get(f"/models/forge/iris/{page}").status_code == 200, page
    actions.approve_request(people.max.actor, request=request)
    version.refresh_from_db()
    assert version.stage == "Production"
    assert not mark.exists()
