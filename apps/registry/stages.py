"""Stages and slots. A slot is a place that one asks for: a stage, or an alias."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from apps.core.actor import Level
from apps.core.errors import InvalidInput


class Stage(StrEnum):
    """The four of the protocol."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"

    @classmethod
    def parse(cls, written: str) -> Stage:
        """A stage in any case. Raises `InvalidInput`, worded as the protocol's server does."""
        for stage in cls:
            if stage.value.lower() == written.lower():
                return stage
        known = ", ".join(stage.value for stage in cls)
        raise InvalidInput(f"Invalid Model Version stage: {written[:100]}. Value must be one of {known}.")


# Where versions are used; what else is in them may be archived when one enters.
ACTIVE = (Stage.STAGING, Stage.PRODUCTION)
# Those that versions come into, the most looked at first: a version only begins in None.
ENTERED = (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED)


class SlotKind(StrEnum):
    """What kind of place it is."""

    STAGE = "stage"
    ALIAS = "alias"


def folded(name: str) -> str:
    """One form for names that differ by case, or by letters that only look another way."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


@dataclass(frozen=True, slots=True)
class Slot:
    """A stage of a model, or one of its aliases. Policies, requests and the history are about slots."""

    kind: SlotKind
    name: str

    @classmethod
    def stage(cls, stage: Stage | str) -> Slot:
        """The slot of a stage."""
        return cls(SlotKind.STAGE, Stage.parse(stage).value)

    @classmethod
    def alias(cls, name: str) -> Slot:
        """The slot of an alias. Aliases differ by case only for display: the store keeps them as they are written."""
        return cls(SlotKind.ALIAS, name)

    @property
    def is_stage(self) -> bool:
        """A stage, not an alias."""
        return self.kind is SlotKind.STAGE

    @property
    def namesake(self) -> Stage | None:
        """The stage that an alias is called like (`production`): scripts take it for one, so it is ruled alike."""
        return next((stage for stage in ACTIVE if folded(stage.value) == folded(self.name)), None)

    @property
    def level(self) -> Level:
        """The right that moves a version into or out of it where no policy says otherwise."""
        if self.namesake is Stage.PRODUCTION:
            return Level.PRODUCTION
        return Level.STAGING if self.is_stage or self.namesake else Level.EDIT

    @property
    def weight(self) -> tuple[int, str]:
        """For sorting: Production, Staging, aliases, Archived."""
        stages = {Stage.PRODUCTION: 0, Stage.STAGING: 1, Stage.ARCHIVED: 3}
        return (stages.get(Stage(self.name), 4) if self.is_stage else 2, self.name)

    @property
    def with_namesake(self) -> list[Slot]:
        """Itself; for an alias called like a stage also that stage, which stands for it where it says nothing."""
        return [self] if self.is_stage or self.namesake is None else [self, Slot.stage(self.namesake)]

    def __str__(self) -> str:
        return self.name if self.is_stage else f"@{self.name}"
