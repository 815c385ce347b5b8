from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import ObjectKind
from apps.notifications.topics import Topic


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to one object, as inboxes, mails and webhooks tell it.

    `text` is a plain sentence with the actor's name; `url` is the path of the page, "/models/…". `event` is the neutral
    name that webhooks ask for ("model_version.created", see `apps.notifications.hook_events`); empty: none is called.
    `facts` are what webhooks send: JSON values by name (name, version, source, run_id, tags, description, key, value,
    alias, from_stage, to_stage, comment, request_id). Inbox lines of one `group` are done once a happening of it
    `closes_group`.
    """

    topic: Topic
    team_id: int
    team_name: str
    kind: ObjectKind
    object_id: int
    object_name: str
    text: str
    url: str
    event: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    closes_group: bool = False
