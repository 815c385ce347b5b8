from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from apps.audit.codes import EventCode, declare, known_codes
from apps.audit.sentences import PLACES

APPS = Path(__file__).parents[2] / "apps"


@pytest.mark.parametrize("code", known_codes().values(), ids=str)
def test_every_code_has_a_sentence_that_can_be_filled(code: EventCode) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", code.code)
    assert code.sentence
    assert code.sentence[0].islower()
    assert {name for _, name, _, _ in Formatter().parse(code.sentence) if name} <= set(PLACES)


def test_a_code_is_declared_once() -> None:
    declare("test.once", "did it once")
    with pytest.raises(ValueError, match="declared twice"):
        declare("test.once", "did it again")


def test_codes_come_from_the_register_alone() -> None:
    """`record` takes an `EventCode`; nobody makes one past the register, which is filled in `events.py`."""
    strays = []
    for file in APPS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if called == "EventCode" and file.name != "codes.py":
                strays.append(str(file))
            if called == "declare" and file.name != "events.py":
                strays.append(str(file))
    assert strays == []


def test_every_declared_code_is_used() -> None:
    """A sentence that nothing records would be a promise on the page that the log can't keep."""
    source = "\n".join(file.read_text() for file in APPS.rglob("*.py") if file.name != "events.py")
    names = [
        target.id
        for file in APPS.glob("*/events.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert [name for name in names if not re.search(rf"\bevents\.{name}\b", source)] == []
