"""YAML with the lines kept, so that each error can say where. Small, plain and bounded: no anchors, no tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from apps.core.errors import InvalidInput

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file; lines are counted from one."""

    file: str
    line: int

    def refuse(self, problem: str) -> NoReturn:
        """Raise `InvalidInput` that says where."""
        raise InvalidInput(f"{self.file}, line {self.line}: {problem}")


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the file: text (as written; None for null), a list, or a mapping in order."""

    place: Place
    text: str | None = None
    items: tuple[Value, ...] | None = None
    pairs: tuple[tuple[Value, Value], ...] | None = None

    @property
    def is_null(self) -> bool:
        """Nothing was written."""
        return self.text is None and self.items is None and self.pairs is None

    def as_text(self, what: str) -> str:
        """The text. Raises `InvalidInput` where it is nothing, a list or a mapping."""
        if self.text is None:
            self.place.refuse(f"{what} has to be text.")
        return self.text

    def as_list(self, what: str) -> tuple[Value, ...]:
        """The items; none for nothing."""
        if self.is_null:
            return ()
        if self.items is None:
            self.place.refuse(f"{what} has to be a list.")
        return self.items

    def as_mapping(self, what: str) -> dict[str, Value]:
        """Values by key; none for nothing. Raises `InvalidInput` for a key that comes twice."""
        if self.is_null:
            return {}
        if self.pairs is None:
            self.place.refuse(f"{what} has to be a mapping, `key: value`.")
        found: dict[str, Value] = {}
        for key, value in self.pairs:
            name = key.as_text(f"A key of {what}")
            if name in found:
                key.place.refuse(f"'{name}' stands twice in {what}.")
            found[name] = value
        return found

    def only(self, what: str, *known: str) -> dict[str, Value]:
        """Values by key. Raises `InvalidInput` for a key that is not known."""
        found = self.as_mapping(what)
        for name, value in found.items():
            if name not in known:
                value.place.refuse(f"'{name}' is not known in {what}; known are: {', '.join(known)}.")
        return found


def parse_document(text: bytes | str, file: str) -> Value:
    """The document in a file. Raises `InvalidInput` that names the line, with the mended lines where it can tell."""
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise InvalidInput(f"{file}: more than {MAX_BYTES} bytes are not read.")
    try:
        decoded = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: not UTF-8.") from error
    try:
        _refuse_references(decoded, file)
        node = yaml.compose(decoded, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise InvalidInput(_worded(error, decoded, file)) from error
    except RecursionError as error:
        raise InvalidInput(f"{file}: nested too deeply.") from error
    return Value(Place(file, 1)) if node is None else _value(node, file, 0)


def _refuse_references(text: str, file: str) -> None:
    """Anchors make bombs of small files, tags make objects; depth is bounded before any tree is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = Place(file, _line(event.start_mark))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            place.refuse("nested too deeply.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            place.refuse("anchors and aliases (& and *) are not taken here.")
        if str(getattr(event, "tag", None) or "").startswith("tag:yaml.org,2002:python"):
            place.refuse("tags of Python are not taken.")


def _value(node: yaml.Node, file: str, depth: int) -> Value:
    place = Place(file, _line(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        pairs = tuple((_value(key, file, depth + 1), _value(value, file, depth + 1)) for key, value in node.value)
        return Value(place, pairs=pairs)
    if isinstance(node, yaml.SequenceNode):
        return Value(place, items=tuple(_value(item, file, depth + 1) for item in node.value))
    if _UNKEPT.search(str(node.value)):
        # Written as an escape: no variable or argument can hold it, and what follows would be taken for another one.
        place.refuse("it holds a character that can't be kept.")
    return Value(place, text=None if node.tag == "tag:yaml.org,2002:null" else str(node.value))


def _line(mark: Any) -> int:
    """The line of a mark of PyYAML, whose types leave out that it is always there."""
    return int(mark.line) + 1


def _worded(error: yaml.YAMLError, text: str, file: str) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"{file}: this is not valid YAML."
    problem = str(getattr(error, "problem", "") or "it is not valid YAML")
    said = f"{file}, line {mark.line + 1}: this is not valid YAML: {problem}."
    for mended, line in _mendings(text.splitlines(), mark.line):
        if _is_valid("\n".join(mended)):
            shown = "\n".join(mended[max(0, line - 1) : line + 1])
            return f"{said} Perhaps line {line + 1} is indented wrongly; this would be right:\n{shown}"
    return said


def _mendings(lines: list[str], at: int) -> Iterator[tuple[list[str], int]]:
    """The file with one line indented as the one above it (as its key, in a list), and that line's index."""
    for index in (at, at - 1):
        if not 0 < index < len(lines):
            continue
        above, line = lines[index - 1], lines[index]
        bare = above.lstrip()
        dash = len(bare) - len(bare.removeprefix("- ").lstrip()) if bare.startswith("- ") else 0
        indent = len(above) - len(bare) + dash
        yield [*lines[:index], " " * indent + line.lstrip(), *lines[index + 1 :]], index


def _is_valid(text: str) -> bool:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader) is not None
    except yaml.YAMLError:
        return False
