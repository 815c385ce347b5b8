"""Two versions side by side: signature, params, metrics, requirements, tags, files. A constant number of statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext as _

from apps.core import formatting
from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.experiments.models import Param, Run, Series
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion, ModelVersionTag
from apps.registry.selectors import listings
from apps.registry.selectors.contents import Contents, contents_of
from apps.registry.selectors.models import RESERVED_TAGS
from apps.registry.signatures import Column, Signature

_MAX_ROWS = 500
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One thing in both versions, as text; empty: it has none. `delta` is the change of a number, as text."""

    key: str
    before: str
    after: str
    delta: str = ""

    @property
    def differs(self) -> bool:
        return self.before != self.after or bool(self.delta)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind. `note` says what could not be compared."""

    title: str
    rows: list[DiffRow]
    note: str = ""

    @property
    def changed(self) -> int:
        """How many rows differ."""
        return sum(row.differs for row in self.rows)


def differences(actor: Actor, before: ModelVersion, after: ModelVersion) -> list[Section]:
    """All sections with something in them. Both versions were fetched with their model; values of runs that the actor
    may not read are left out, and the section says so.
    """
    contents = contents_of(before), contents_of(after)
    sections = [
        _signature(*contents),
        *_of_runs(actor, before, after),
        Section(_("Requirements"), _rows(*(_packages(found) for found in contents))),
        _files(before, after),
        _tags(before, after),
    ]
    return [section for section in sections if section.rows or section.note]


def _rows(before: Mapping[str, str], after: Mapping[str, str]) -> list[DiffRow]:
    keys = sorted(before.keys() | after.keys())
    return [DiffRow(key, before.get(key, ""), after.get(key, "")) for key in keys[:_MAX_ROWS]]


def _signature(before: Contents, after: Contents) -> Section:
    note = before.problem or after.problem
    return Section(_("Signature"), _rows(_fields(before.signature), _fields(after.signature)), note)


def _fields(signature: Signature | None) -> dict[str, str]:
    if signature is None:
        return {}
    parts = ((_("input"), signature.inputs), (_("output"), signature.outputs), (_("param"), signature.params))
    return {
        f"{name}: {column.name or place + 1}": _type(column)
        for name, part in parts
        for place, column in enumerate(part)
    }


def _type(column: Column) -> str:
    text = column.type if column.is_required else f"{column.type} ({_('optional')})"
    return f"{text} = {column.default}" if column.default else text


def _of_runs(actor: Actor, before: ModelVersion, after: ModelVersion) -> list[Section]:
    wanted = [key for key in (before.source_run_id, after.source_run_id) if key]
    readable = set(Run.objects.visible_to(actor).filter(pk__in=wanted).values_list("pk", flat=True))
    note = "" if readable == set(wanted) else _("Values of a run that you may not read are left out.")
    first, second = before.source_run_id or 0, after.source_run_id or 0
    values: dict[int, dict[str, str]] = {first: {}, second: {}}
    for run, key, value in Param.objects.filter(run__in=readable).values_list("run_id", "key", "value"):
        values[run][key] = value
    params = Section(_("Params"), _rows(values[first], values[second]), note)
    return [params, Section(_("Metrics"), _metrics(readable, first, second), note)]


def _metrics(readable: Iterable[int], first: int, second: int) -> list[DiffRow]:
    numbers: dict[int, dict[str, float]] = {first: {}, second: {}}
    found = Series.objects.filter(run__in=list(readable)).values_list("run_id", "key", "last_value", "last_is_nan")
    for run, key, value, is_nan in found:
        numbers[run][key] = float("nan") if is_nan else value
    keys = sorted(numbers[first].keys() | numbers[second].keys())[:_MAX_ROWS]
    return [_metric(key, numbers[first].get(key), numbers[second].get(key)) for key in keys]


def _metric(key: str, before: float | None, after: float | None) -> DiffRow:
    texts = ["" if value is None else formatting.short_number(value) for value in (before, after)]
    if before is None or after is None or (not before < after and not before > after):
        return DiffRow(key, texts[0], texts[1])
    change = formatting.short_number(after - before)
    return DiffRow(key, texts[0], texts[1], change if change.startswith("-") else f"+{change}")


def _packages(contents: Contents) -> dict[str, str]:
    """Lines of the requirements by the package's name; what names none stands for itself."""
    found: dict[str, list[str]] = {}
    for line in contents.requirements:
        name = _PACKAGE.match(line)
        key, rest = (name.group().lower(), line[name.end() :].strip()) if name else (line, "")
        found.setdefault(key, []).append(rest or _("any"))
    return {key: ", ".join(lines) for key, lines in found.items()}


def _tags(before: ModelVersion, after: ModelVersion) -> Section:
    values: dict[int, dict[str, str]] = {before.pk: {}, after.pk: {}}
    found = ModelVersionTag.objects.filter(version__in=[before.pk, after.pk])
    for version, key, value in found.values_list("version_id", "key", "value"):
        if not key.startswith(RESERVED_TAGS):
            values[version][key] = value
    return Section(_("Tags"), _rows(values[before.pk], values[after.pk]))


def _files(before: ModelVersion, after: ModelVersion) -> Section:
    try:
        found = listings.compare(folder_of_version(before), folder_of_version(after))
    except DomainError as error:
        return Section(_("Files"), [], error.message)
    except (OSError, BotoCoreError, ClientError):
        return Section(_("Files"), [], _("The files can't be read now."))
    rows = [
        DiffRow(one.path, _size(one.before), _size(one.after), _("content") if one.rewritten else "")
        for one in found.files
    ]
    return Section(_("Files"), rows, _("There are more files than are compared.") if found.is_cut else "")


def _size(size: int | None) -> str:
    return "" if size is None else formatting.file_size(size)
