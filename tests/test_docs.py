"""What the documents say can be typed and followed: commands of ours have these options, and links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SLIPWAY = Path(sys.executable).parent / "slipway"
# Commands that have commands of their own.
GROUPS = {"audit", "deployments", "models", "runs", "token", "user"}
# What stands before a command in a line of a shell.
_BEFORE = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S+=)?(?:\"?\$\()?(?:uv run )?(?:slipway )(?P<rest>.*)$")
_OPTION = re.compile(r"(?<![\w-])(--?[a-zA-Z][\w-]*)")


def _typed() -> Iterator[tuple[str, str, str]]:
    """Document, command and options' line of each line in a block that calls us."""
    for document in DOCUMENTS:
        for block in re.findall(r"^ *```\w*\n(.*?)^ *```", document.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\||;", line.split(" #")[0]):
                    if found := _BEFORE.match(part.strip()):
                        words = found["rest"].rstrip(")\"'").split()
                        count = 2 if words[:1] and words[0] in GROUPS else 1
                        yield document.name, " ".join(words[:count]), " ".join(words[count:])


def _by_command() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for document, command, rest in _typed():
        if command and not command.startswith(("-", "[", "COMMAND")):
            found.setdefault(command, []).append((document, rest))
    return found


TYPED = _by_command()


def test_there_are_commands() -> None:
    assert {"up", "migrate", "backup", "models serve", "deployments create", "audit verify"} <= set(TYPED)


@pytest.mark.parametrize("command", sorted(TYPED))
def test_a_command_has_the_options_that_documents_name(command: str) -> None:
    done = subprocess.run(
        [SLIPWAY, *command.split(), "--help"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    known = set(_OPTION.findall(done.stdout))
    for document, rest in TYPED[command]:
        assert set(_OPTION.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "", rest))) <= known, f"{document}: {command} {rest}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", document.read_text(), flags=re.DOTALL)
    linked = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|srcset)=\"([^\"]+)\"", text)
    for target in linked:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (document.parent / path).resolve() if path else document
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor in _anchors(place), target


def _anchors(document: Path) -> set[str]:
    """As the places that show Markdown make them of headings."""
    heads = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
