"""What a policy demands, as sentences for pages: the same words on the form, the dialogs and the page of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import Team
from apps.core.actor import Level, Role
from apps.core.errors import InvalidInput
from apps.registry import gates
from apps.registry.models import ApproverGroup, WhoMoves
from apps.registry.policies import Rules
from apps.registry.stages import Slot

ROLE_PEOPLE = {
    "": gettext_lazy("nobody by role"),
    Role.VIEWER.value: gettext_lazy("everybody in the model's team"),
    Role.MEMBER.value: gettext_lazy("members, maintainers and admins of the model's team"),
    Role.MAINTAINER.value: gettext_lazy("maintainers and admins of the model's team"),
    Role.ADMIN.value: gettext_lazy("admins of the model's team"),
    "site": gettext_lazy("administrators of the site"),
}
MOVER_PEOPLE = {
    WhoMoves.NOBODY.value: gettext_lazy("nobody"),
    WhoMoves.MAINTAINERS.value: gettext_lazy("maintainers and admins of the model's team"),
    WhoMoves.ADMINS.value: gettext_lazy("admins of the model's team"),
    WhoMoves.SITE.value: gettext_lazy("administrators of the site"),
}
RIGHT_PEOPLE = {
    Level.READ: gettext_lazy("who may read the model"),
    Level.EDIT: gettext_lazy("who may edit the model"),
    Level.STAGING: gettext_lazy("who may move versions to Staging"),
    Level.PRODUCTION: gettext_lazy("who may move versions to Production"),
    Level.MANAGE: gettext_lazy("who may manage the model"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the team and the group that rules point at; empty where they do not."""

    team: str = ""
    group: str = ""

    @classmethod
    def of(cls, rules: Rules) -> Names:
        """Two statements, or none."""
        team = Team.objects.filter(pk=rules.approver_team).first() if rules.approver_team else None
        group = ApproverGroup.objects.filter(pk=rules.approver_group).first() if rules.approver_group else None
        return cls(team.name if team else "", group.name if group else "")


def words_of(rules: Rules, slot: Slot, names: Names) -> list[str]:
    """The rules of a slot as sentences. Gates are not among them: they have words of their own."""
    if not rules.is_governed:
        right = _right(rules.approver_level)
        return [_("No policy: %(right)s moves versions directly, and decides for others who ask.") % {"right": right}]
    words = [_approvals(rules, names), _self_approval(rules), _asking(rules), *_movers(rules)]
    if rules.archives_previous and slot.is_stage:
        words.append(_("What is in %(slot)s is archived when another version enters.") % {"slot": slot})
    if rules.timeout_hours:
        hours = rules.timeout_hours
        words.append(
            ngettext("A request runs out after %(n)s hour.", "A request runs out after %(n)s hours.", hours)
            % {"n": hours}
        )
    return [*words, _origin(rules)]


def gate_words(gate: Mapping[str, Any]) -> str:
    """What a gate demands; also of a kind that this release does not know."""
    try:
        return gates.describe(dict(gate))
    except (InvalidInput, KeyError):
        return _("A gate of the kind “%(kind)s”, which this server does not know") % {"kind": gate.get("kind", "")}


def approver_words(rules: Rules, names: Names) -> str:
    """Whose word counts, as part of a sentence."""
    parts = [str(ROLE_PEOPLE.get(rules.approver_role, rules.approver_role))] if rules.approver_role else []
    parts += [_("people of the team %s") % names.team] if rules.approver_team else []
    parts += [_("the group %s") % names.group] if rules.approver_group else []
    return _(" or ").join(parts) or _("nobody")


def _approvals(rules: Rules, names: Names) -> str:
    said = {"n": rules.approvals, "who": approver_words(rules, names)}
    return ngettext("%(n)s approval by %(who)s.", "%(n)s approvals by %(who)s.", rules.approvals) % said


def _self_approval(rules: Rules) -> str:
    if rules.allows_self_approval:
        return _("Who asked may approve as well.")
    return _("Who asked or made the version can't approve, nor who holds the service account that did.")


def _asking(rules: Rules) -> str:
    return _("Asking is for %(right)s.") % {"right": _right(rules.ask_level)}


def _movers(rules: Rules) -> list[str]:
    past, back = MOVER_PEOPLE[rules.override_by], MOVER_PEOPLE[rules.rollback_by]
    return [
        _("Past the policy, with a reason and marked for review: %(who)s.") % {"who": past},
        _("Back to what was there before, at once and with a reason: %(who)s.") % {"who": back},
    ]


def _origin(rules: Rules) -> str:
    said = {"model": _("This is the model's own policy."), "team": _("This is the policy of the team.")}
    origin = said.get(rules.scope, _("This is the policy of the site."))
    return f"{origin} {_('It is final: nothing nearer overrules it.')}" if rules.is_final else origin


def _right(level: int) -> str:
    return str(RIGHT_PEOPLE.get(Level(level), "")) or Level(level).word
