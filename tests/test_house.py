"""The rules of the house, as a program (docs/adr/0001)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps as django_apps

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 500
# Statements written by hand, with their reason: docs/adr/0003.
WRITES_SQL = ("ingest", "rendering", "history", "search", "hot", "migrations", "selectors/charts")


def python_files(*folders: str) -> list[Path]:
    """Our own Python files below some folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression; calls in between are left out."""
    match node:
        case ast.Attribute():
            return f"{dotted(node.value)}.{node.attr}"
        case ast.Call():
            return dotted(node.func)
        case ast.Name():
            return node.id
    return ""


def offences(paths: list[Path], is_offence: Callable[[ast.Call], bool]) -> list[str]:
    return [f"{name_of(path)}:{call.lineno}" for path in paths for call in calls(path) if is_offence(call)]


def edges() -> list[Path]:
    """Where requests come in."""
    rooms = {"web", "api", "mlflow", "artifacts"}
    files = python_files("apps")
    return [path for path in files if rooms & set(path.relative_to(ROOT).parts) or path.name == "consumers.py"]


def test_files_stay_small() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in python_files("apps", "platform", "tests")}
    assert {name: count for name, count in lines.items() if count > MOST_LINES and "/migrations/" not in name} == {}


def test_the_edges_fetch_by_access_alone() -> None:
    by_hand = {"get_object_or_404", "get_list_or_404"}
    found = offences(edges(), lambda call: dotted(call).endswith(".objects.get") or dotted(call) in by_hand)
    assert found == [], "call a function of access.py: it authorises"


def test_migrations_import_nothing_of_the_apps() -> None:
    imports = re.compile(r"^\s*(?:from|import) apps\.(?!.*\bmodels\.(?:managers|fields)\b)", re.MULTILINE)
    files = [path for path in python_files("apps") if path.parent.name == "migrations"]
    allowed = ("apps.core.actor", "apps.accounts.models", "apps.accounts.querysets")
    found = [
        f"{name_of(path)}: {line.strip()}"
        for path in files
        for line in path.read_text().splitlines()
        if imports.match(line) and not line.split()[1].startswith(allowed)
    ]
    assert found == [], "a migration has to work when the code has moved on"


def test_select_related_names_what_it_joins() -> None:
    found = offences(python_files("apps"), lambda call: dotted(call).endswith(".select_related") and not call.args)
    assert found == []


def test_sql_is_written_with_parameters() -> None:
    def is_formatted(call: ast.Call) -> bool:
        executes = dotted(call).rpartition(".")[2] in {"execute", "executemany", "raw", "RawSQL", "extra"}
        return executes and bool(call.args) and isinstance(call.args[0], (ast.JoinedStr, ast.BinOp))

    files = [path for path in python_files("apps") if not any(part in name_of(path) for part in WRITES_SQL)]
    assert offences(files, is_formatted) == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    files = [path for path in python_files("apps", "platform", "tests") if path != Path(__file__)]
    assert [name_of(path) for path in files if later.search(path.read_text())] == []


def offered(path: Path) -> set[str]:
    """The names that others may call."""
    if path.stem == "actions":
        return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    return set(import_module(".".join(path.parent.relative_to(ROOT).parts)).__all__)


def action_functions() -> list[tuple[str, ast.FunctionDef]]:
    """The functions that apps offer: those of `actions.py`, or named in the `__all__` of the package `actions`."""
    files = [path for path in python_files("apps") if "actions" in (path.stem, path.parent.name)]
    return [
        (f"{name_of(path)}:{node.name}", node)
        for path in files
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name in offered(path)
    ]


def test_an_action_takes_an_actor_then_names() -> None:
    positional = {
        name: [argument.arg for argument in function.args.posonlyargs + function.args.args]
        for name, function in action_functions()
    }
    # The one sentence that every action writes: who, did what, to what.
    del positional["apps/audit/actions.py:record"]
    assert [name for name, names in positional.items() if names[:1] == ["actor"] and len(names) > 1] == []


@pytest.mark.parametrize("model", [model for model in django_apps.get_models() if model.__module__.startswith("apps.")])
def test_a_model_says_what_it_is(model: type) -> None:
    assert model.__doc__
    assert not model.__doc__.startswith(f"{model.__name__}("), "Django wrote this docstring: write one"


# What a template must not hold: the page's security policy would stop it, or it would call elsewhere.
FORBIDDEN_IN_TEMPLATES = {
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", re.IGNORECASE),
    "a handler in an attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "a javascript: link": re.compile(r"javascript:", re.IGNORECASE),
    "something from elsewhere": re.compile(r"(?:src|href)=\"(?:https?:)?//", re.IGNORECASE),
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN_IN_TEMPLATES))
def test_templates_hold_no(what: str) -> None:
    pattern = FORBIDDEN_IN_TEMPLATES[what]
    assert [name_of(path) for path in templates() if pattern.search(path.read_text())] == []


def test_static_files_fetch_nothing_from_elsewhere() -> None:
    elsewhere = re.compile(r"(?:import[^;]*from\s*|import\(|url\(|fetch\()\s*[\"']?(?:https?:)?//", re.IGNORECASE)
    files = [path for suffix in ("*.js", "*.css") for path in sorted((ROOT / "static").rglob(suffix))]
    assert [name_of(path) for path in files if elsewhere.search(path.read_text())] == []


def test_a_partial_stands_beside_its_page() -> None:
    """`_run_table.html` is included by a page or another partial of its folder: none is left over."""
    texts = {path: path.read_text() for path in templates()}
    code = "".join(path.read_text() for path in python_files("apps"))
    partials = [path for path in texts if path.name.startswith("_")]
    used = "".join(texts.values()) + code
    assert [name_of(path) for path in partials if f"{path.parent.name}/{path.name}" not in used] == []
