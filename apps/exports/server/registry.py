"""The registry of a server: it gives numbers in order, so what was deleted here is made there, and deleted again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.core.errors import DomainError, NotFound
from apps.exports.server.calls import Calls, pairs
from apps.exports.server.words import SOURCE
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

    def require_free(self, names: Sequence[str], team: str) -> None:
        """Raises `BadTarget` for a name that something else has there."""
        for name in names:
            found = self._model(name)
            if found is not None and not _tags(found).get(SOURCE, "").startswith(f"{team}/"):
                raise BadTarget(
                    f"{self._calls.url} has a registered model '{name}' that is not of this export. Rename one of them."
                )

    def put(self, going: GoingModel, team: str) -> None:
        """What is missing, in the order of numbers; then stages and aliases."""
        model = going.model
        try:
            self._put(going, f"{team}/{model.name}/{model.created_ms}")
        except (BadTarget, BrokenSource):
            raise
        except DomainError as error:
            self._tally.problem(f"registered model '{model.name}': {error.message}")

    def verify(self, going: GoingModel) -> list[str]:
        """Lines for what is not there as it is here."""
        model, lines = going.model, []
        there, found = self._versions(model), self._model(model.name)
        aliases = {each["alias"]: int(each["version"]) for each in (found or {}).get("aliases") or ()}
        if there.keys() != {version.number for version in model.versions}:
            lines.append(f"the versions of the model '{model.name}' are {sorted(there)} there")
        for version in model.versions:
            if there.get(version.number, {}).get("current_stage", _NONE) != version.stage:
                lines.append(f"version {version.number} of the model '{model.name}' is in another stage there")
        if aliases != dict(model.aliases):
            lines.append(f"the aliases of the model '{model.name}' differ")
        self._tally.compared["model versions"] += len(there)
        return lines

    def _put(self, going: GoingModel, mark: str) -> None:
        model = going.model
        found = self._model(model.name)
        if found is not None and _tags(found).get(SOURCE) != mark:
            raise Refused("a model of this name is there, and is of another export")
        if found is None:
            tags = pairs({**model.tags, SOURCE: mark})
            asked = {"name": model.name, "description": model.description, "tags": tags}
            self._calls.call("POST", "registered-models/create", **asked)
            self._tally.brought["registered models"] += 1
        there, ours = self._versions(model), {version.number: version for version in model.versions}
        for number in range(max(there, default=0) + 1, model.last_number + 1):
            made = self._create(going, ours[number]) if number in ours else self._fill(going)
            if made not in (number, None):
                raise BadTarget(f"{self._calls.url} gave the number {made} to version {number} of '{model.name}'.")
        for number in there.keys() - ours.keys():
            self._calls.call("DELETE", "model-versions/delete", name=model.name, version=str(number))
        self._place(model)

    def _create(self, going: GoingModel, version: ForeignVersion) -> int:
        asked = {"run_link": version.run_link, "description": version.description}
        number = self._make(going, version, {key: value for key, value in asked.items() if value}, version.tags)
        self._tally.brought["model versions"] += 1
        return number

    def _fill(self, going: GoingModel) -> int:
        """A number that was given here, to a version that is gone."""
        alike = going.model.versions[0] if going.model.versions else None
        if alike is None:
            raise Refused("all its versions are gone")
        number = self._make(going, alike, {}, alike.tags if says_prompt(going.model.tags) else {})
        self._calls.call("DELETE", "model-versions/delete", name=going.model.name, version=str(number))
        return number

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

    def _place(self, model: ForeignModel) -> None:
        there, found = self._versions(model), self._model(model.name)
        aliases = {each["alias"]: int(each["version"]) for each in (found or {}).get("aliases") or ()}
        for version in model.versions:
            if there.get(version.number, {}).get("current_stage", _NONE) != version.stage:
                asked = {"name": model.name, "version": str(version.number), "stage": version.stage}
                self._try(model, "model-versions/transition-stage", **asked, archive_existing_versions=False)
        for alias, number in model.aliases.items():
            if aliases.get(alias) != number:
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


def _tags(answer: dict[str, Any]) -> dict[str, str]:
    return {str(each["key"]): str(each.get("value", "")) for each in answer.get("tags") or ()}
