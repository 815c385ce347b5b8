"""What would stand against a deployment that is being filled in: said before it is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.accounts.models import Team
from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput
from apps.deployments.configuration import TargetKind
from apps.deployments.models import Deployment, Following, FollowMode
from apps.deployments.ports import LOOPBACK, Port, check_port
from apps.deployments.selectors.choices import held_by
from apps.deployments.selectors.hosts import Hosts, hosts
from apps.deployments.serve.ports import why_not
from apps.registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence; `tone` is ok, warn or bad. What is bad is refused."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """A target: on how many hosts it is there, and what none of them enforces."""

    kind: str
    hosts: Sequence[str]
    lacks: Sequence[str]
    isolation: str = ""


def targets_of(found: Hosts) -> dict[str, TargetChoice]:
    """The targets by kind."""
    return {kind.value: _choice(found, kind.value) for kind in TargetKind}


def checks_of(
    actor: Actor, model: RegisteredModel, given: Mapping[str, Any], refused: Iterable[tuple[str, str]] = ()
) -> list[Check]:
    """For what is filled in so far; fields that were refused are not in `given`, but in `refused`, with the reason.

    Seven statements at most.
    """
    said = [Check("bad", _("%(field)s: %(why)s") % {"field": field, "why": why}) for field, why in refused]
    said += [*_of_team(actor), *_of_name(given), *_of_version(model, given), *_of_following(model, given)]
    found = hosts()
    return [*said, *_of_port(given, found), *_of_target(given, found)]


def _of_team(actor: Actor) -> Iterator[Check]:
    team = Team.objects.visible_to(actor).filter(pk=actor.team_id or 0).first()
    if team is None:
        yield Check("bad", _("You are in no team, so there is nowhere to deploy to."))
    elif actor.level_in(team.pk) < Level.EDIT:
        yield Check("bad", _("In the team %s you may look and call, not deploy.") % team.name)


def _of_name(given: Mapping[str, Any]) -> Iterator[Check]:
    name = given.get("name", "")
    if name and Deployment.objects.filter(name__iexact=name).exists():
        yield Check("bad", _("A deployment is called %s already; names are unique on the site.") % name)


def _of_version(model: RegisteredModel, given: Mapping[str, Any]) -> Iterator[Check]:
    stages, number = given.get("stages") or [], given.get("version")
    if not number:
        return
    stage = ModelVersion.objects.filter(model=model, number=int(number)).values_list("stage", flat=True).first()
    if stages and stage not in stages:
        words = {"n": number, "stage": stage, "stages": " · ".join(stages)}
        yield Check(
            "bad", _("Version %(n)s is in %(stage)s; only versions in %(stages)s may be deployed here.") % words
        )


def _of_following(model: RegisteredModel, given: Mapping[str, Any]) -> Iterator[Check]:
    kind, number = given.get("follows", ""), given.get("version")
    name = {Following.STAGE: given.get("stage"), Following.ALIAS: given.get("alias")}.get(kind)
    if not name:
        return
    held = held_by(model, kind, name)
    words = {"name": name, "model": model.name, "n": held}
    if held is None:
        yield Check(
            "warn", _("%(name)s of %(model)s has no version yet: it serves the one above until it has.") % words
        )
    elif str(held) != number and given.get("follow_mode") == FollowMode.APPLY:
        yield Check("warn", _("%(name)s has version %(n)s: it goes over to that at once.") % words)
    elif str(held) != number:
        yield Check("warn", _("%(name)s has version %(n)s: it is proposed at once.") % words)
    else:
        yield Check("ok", _("%(name)s has version %(n)s now, as chosen.") % words)


def _of_port(given: Mapping[str, Any], found: Hosts) -> Iterator[Check]:
    port = given.get("port")
    if given.get("reach") != "port" or port is None:
        return
    taken = Deployment.objects.filter(port=port).values_list("name", flat=True).first()
    if taken:
        yield Check("bad", _("Another deployment has the port %s already.") % port)
        return
    host = given.get("port_host") or LOOPBACK
    words = {"host": host, "port": port}
    try:
        check_port(Port(port, host), None)
    except InvalidInput as error:
        yield Check("bad", error.message)
        return
    # Ports are listened on where supervisors are: of another machine's nobody here knows.
    is_here = any(row.host.name == settings.SERVING_NAME for row in found.alive)
    if is_here and (why := why_not(host, port)):
        text = _("%(why)s: until that changes it answers at this site's address alone.") % {"why": why}
        yield Check("warn", text[0].upper() + text[1:])
    elif ipaddress.ip_address(host).is_loopback:
        yield Check("ok", _("http://%(host)s:%(port)s answers whoever is on that machine, without a token.") % words)
    elif given.get("port_open"):
        yield Check("warn", _("http://%(host)s:%(port)s answers everybody who reaches it, without a token.") % words)
    else:
        yield Check("ok", _("http://%(host)s:%(port)s wants a token with scope serve.") % words)


def _of_target(given: Mapping[str, Any], found: Hosts) -> Iterator[Check]:
    target = given.get("target", "")
    if not found.alive:
        yield Check("warn", _("No serving supervisor is alive: it waits until one is started with slipway serving."))
    elif target and not found.offering(target):
        yield Check("warn", _("No host that is alive offers this target: it waits for one that does."))


def _choice(found: Hosts, kind: str) -> TargetChoice:
    offering = found.offering(kind)
    isolation = {row.isolation for row in offering if row.isolation} if kind == TargetKind.PROCESS else set()
    return TargetChoice(kind, [row.host.name for row in offering], found.lacks_of(kind), " · ".join(sorted(isolation)))
