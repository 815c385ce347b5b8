"""The registry of a server: it gives numbers in order, so what was deleted here is made there, and deleted again.

It gives none twice, and does not tell of those that are deleted. Versions of ours have a tag; all others stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.core.errors import DomainError, NotFound
from apps.exports.server.calls import Calls, pairs
from apps.exports.server.words import FILLER, GIVEN, SOURCE, plain, tags_of
from apps.exports.targets import BadTarget, GoingModel, Owner, Refused
from apps.imports.sources.base import BrokenSource
from apps.imports.tally import Tally
from apps.registry.foreign import ForeignModel, ForeignVersion
from apps.registry.names import PROMPT_TAG, says_prompt

# A version's source, whose its files are and where in them: the source there, and the id of its logged model.
AddressOf = Callable[[str, Owner | None, str], tuple[str, str]]
_NONE = "None"


class Registry:
    """Models at a server, with their versions."""

    def __init__(self, calls: Calls, tally: Tally, address_of: AddressOf, new_id: Callable[[str], str]) -> None:
        self._calls, self._tally, self._address_of, self._new_id = calls, tally, address_of, new_id
        # What people should know of, though nothing is wrong.
        self.notes: list[str] = []

    def require_free(self, names: Sequence[str], team: str) -> None:
        """Raises `BadTarget` for a name that something else has there."""
        for name in names:
            found = self._model(name)
            if found is not None and not tags_of(found).get(SOURCE, "").startswith(f"{team}/"):
                raise BadTarget(
                    f"{self._calls.url} has a registered model '{name}' that is not of this export. Rename one of them."
                )

    def put(self, going: GoingModel, team: str) -> None:
        """What is missing, in the order of numbers; then stages and aliases."""
        model = going.model
        try:
            self._put(going, _mark(team, model))
        except (BadTarget, BrokenSource):
            raise
        except DomainError as error:
            self._tally.problem(f"registered model '{model.name}': {error.message}")

    def verify(self, going: GoingModel, team: str) -> list[str]:
        """Lines for what is not there as it is here."""
        model, lines = going.model, []
        found = self._model(model.name)
        there = _ours(self._versions(model), _mark(team, model))
        aliases = {each["alias"]: int(each["version"]) for each in (found or {}).get("aliases") or ()}
        if there.keys() != {version.number for version in model.versions}:
            lines.append(f"the versions of the model '{model.name}' are {sorted(there)} there")
        for version in model.versions:
            if there.get(version.number, {}).get("current_stage", _NONE) != version.stage:
                lines.append(f"version {version.number} of the model '{model.name}' is in another stage there")
        if {name: aliases.get(name) for name in model.aliases} != dict(model.aliases):
            lines.append(f"the aliases of the model '{model.name}' differ")
        self._tally.compared["model versions"] += len(there)
        return lines

    def _put(self, going: GoingModel, mark: str) -> None:
        model = going.model
        found = self._model(model.name)
        if found is not None and tags_of(found).get(SOURCE) != mark:
            raise Refused("a model of this name is there, and is of another export")
        if found is None:
            tags = pairs({**plain(model.tags), SOURCE: mark})
            asked = {"name": model.name, "description": model.description, "tags": tags}
            self._calls.call("POST", "registered-models/create", **asked)
            self._tally.brought["registered models"] += 1
        given = tags_of(found or {}).get(GIVEN, "")
        there = self._make_missing(going, mark, int(given) if given.isdecimal() else 0)
        # Not before all are made: a server tells no more of what is deleted, and the next number has to be known.
        for number, each in there.items():
            if tags_of(each).get(FILLER) == mark:
                self._calls.call("DELETE", "model-versions/delete", name=model.name, version=str(number))
        self._place(model, mark)

    def _make_missing(self, going: GoingModel, mark: str, given: int) -> dict[int, dict[str, Any]]:
        """All versions there, fillers included. `given` is a number that the server is known to have given."""
        model, there = going.model, self._versions(going.model)
        ours = {version.number: version for version in model.versions}
        mine, last, given = _ours(there, mark), max(ours, default=0), max(given, *there, 0)
        for number in range(1, last + 1):
            if number > given:
                given = self._create(going, mark, ours[number]) if number in ours else self._fill(going, mark)
                if given == number:
                    continue
                self._give_back(model, given)
            if number in ours and number not in mine:
                self._tally.problem(
                    f"version {number} of the model '{model.name}': its number was given to another there"
                )
        if model.last_number > last:
            self.notes.append(
                f"The numbers {last + 1} to {model.last_number} of the model '{model.name}' were those of deleted "
                "versions: the server gives them again."
            )
        return self._versions(model)

    def _give_back(self, model: ForeignModel, number: int) -> None:
        """A version that was made with another number than the next: what is between is deleted there, or just came."""
        self._calls.call("DELETE", "model-versions/delete", name=model.name, version=str(number))
        # The server does not tell of it any more, and would give the next one at each export.
        self._calls.call("POST", "registered-models/set-tag", name=model.name, key=GIVEN, value=str(number))

    def _create(self, going: GoingModel, mark: str, version: ForeignVersion) -> int:
        asked = {"run_link": version.run_link, "description": version.description}
        tags = {**plain(version.tags), SOURCE: _mark_of(mark, version.number)}
        number = self._make(going, version, {key: value for key, value in asked.items() if value}, tags)
        self._tally.brought["model versions"] += number == version.number
        return number

    def _fill(self, going: GoingModel, mark: str) -> int:
        """A number that was given here, to a version that is gone."""
        alike = going.model.versions[0]
        tags = plain(alike.tags) if says_prompt(going.model.tags) else {}
        return self._make(going, alike, {}, {**tags, FILLER: mark})

    def _make(self, going: GoingModel, like: ForeignVersion, more: dict[str, str], tags: Mapping[str, str]) -> int:
        owner, path = going.files.get(like.number, (None, ""))
        source, model_id = self._address_of(like.source, owner, path)
        run_id = self._new_id(like.run_id)
        asked = {
            "source": source,
            **({"run_id": run_id} if run_id else {}),
            **({"model_id": model_id} if model_id else {}),
        }
        answer = self._calls.call(
            "POST", "model-versions/create", name=going.model.name, tags=pairs(tags), **asked, **more
        )
        return int(answer["model_version"]["version"])

    def _place(self, model: ForeignModel, mark: str) -> None:
        there, found = _ours(self._versions(model), mark), self._model(model.name)
        aliases = {each["alias"]: int(each["version"]) for each in (found or {}).get("aliases") or ()}
        for version in model.versions:
            if version.number in there and there[version.number].get("current_stage", _NONE) != version.stage:
                asked = {"name": model.name, "version": str(version.number), "stage": version.stage}
                self._try(model, "model-versions/transition-stage", **asked, archive_existing_versions=False)
        for alias, number in model.aliases.items():
            if number in there and aliases.get(alias) != number:
                self._try(model, "registered-models/alias", name=model.name, alias=alias, version=str(number))

    def _try(self, model: ForeignModel, route: str, **values: Any) -> None:
        try:
            self._calls.call("POST", route, **values)
        except (BadTarget, BrokenSource):
            raise
        except DomainError as error:
            self._tally.problem(f"registered model '{model.name}': {error.message}")

    def _model(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._calls.call("GET", "registered-models/get", name=name)["registered_model"]
        except NotFound:
            return None
        return found

    def _versions(self, model: ForeignModel) -> dict[int, dict[str, Any]]:
        mark = '"' if "'" in model.name else "'"
        search = f"name = {mark}{model.name}{mark}"
        if says_prompt(model.tags):
            search += f" AND tags.`{PROMPT_TAG}` = 'true'"
        route = "model-versions/search"
        found = self._calls.pages("GET", route, "model_versions", max_results=1_000, filter=search)
        return {int(each["version"]): each for each in found}


def _mark(team: str, model: ForeignModel) -> str:
    return f"{team}/{model.name}/{model.created_ms}"


def _mark_of(mark: str, number: int) -> str:
    return f"{mark}/{number}"


def _ours(there: Mapping[int, dict[str, Any]], mark: str) -> dict[int, dict[str, Any]]:
    """The versions that were brought; others were registered there by somebody."""
    return {number: each for number, each in there.items() if tags_of(each).get(SOURCE) == _mark_of(mark, number)}
