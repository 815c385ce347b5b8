"""The form of a webhook. Secrets are written and never shown; what the chosen kind lacks is left aside."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ObjectKind, Team
from apps.core.actor import Actor, Role
from apps.core.errors import InvalidInput, NotFound, PermissionDenied
from apps.core.outgoing import check_url
from apps.notifications import access
from apps.notifications.actions import HookChange
from apps.notifications.dialects import DIALECTS
from apps.notifications.models import Webhook, WebhookStatus
from apps.notifications.web.event_words import event_words

_TYPED_ANEW = {"autocomplete": "new-password", "spellcheck": "false"}
_MODEL, _SITE, _TEAM = "model", "site", "team:"


class WebhookForm(forms.Form):
    """What can be changed of a webhook that is there."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Letters, digits, dots, underscores and hyphens, such as “ci-deploy”."),
    )
    url = forms.CharField(label=_("URL"), max_length=2048, widget=forms.URLInput(attrs={"spellcheck": "false"}))
    events = forms.MultipleChoiceField(label=_("Events"), required=False)
    secret = forms.CharField(
        label=_("Secret"), max_length=1024, required=False, strip=False, widget=forms.PasswordInput(attrs=_TYPED_ANEW)
    )
    drop_secret = forms.BooleanField(label=_("Remove it"), required=False)
    authorization = forms.CharField(
        label=_("Authorization header"),
        max_length=1024,
        required=False,
        widget=forms.PasswordInput(attrs=_TYPED_ANEW | {"placeholder": "Bearer …"}),
    )
    drop_authorization = forms.BooleanField(label=_("Remove it"), required=False)
    status = forms.ChoiceField(label=_("Status"), choices=WebhookStatus.choices, initial=WebhookStatus.ACTIVE.value)
    verify_tls = forms.BooleanField(label=_("Check the receiver's certificate"), required=False, initial=True)
    description = forms.CharField(
        label=_("Description"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None, *, hook: Webhook | None = None, **kwargs: Any) -> None:
        fields = ("name", "url", "events", "status", "verify_tls", "description")
        initial = {name: getattr(hook, name) for name in fields} if hook else {}
        super().__init__(data, initial=initial | kwargs.pop("initial", {}), **kwargs)
        self.hook = hook
        self.words = [one for one in event_words() if hook is None or hook.dialect in one.dialects.split()]
        cast("forms.MultipleChoiceField", self.fields["events"]).choices = [(one.word, one.title) for one in self.words]

    def kind(self) -> str:
        """The kind of the webhook; empty where none was chosen."""
        return self.hook.dialect if self.hook else str(self.cleaned_data.get("dialect", ""))

    def sealing(self) -> dict[str, str]:
        """The kinds (codes, separated by blanks) that take a secret, and that take an `Authorization` header."""
        kinds = [DIALECTS[self.hook.dialect]] if self.hook else list(DIALECTS.values())
        return {
            "secret": " ".join(one.code for one in kinds if one.takes_secret),
            "authorization": " ".join(one.code for one in kinds if one.takes_authorization),
        }

    def has_dropped(self) -> bool:
        """Whether a secret was typed that the page, asked once more, doesn't show and so doesn't hold."""
        return any(self.data.get(name) for name in ("secret", "authorization"))

    def ticked(self) -> set[str]:
        """The words whose boxes are ticked."""
        return set(self["events"].value() or [])

    def clean_url(self) -> str:
        """Beside the field, before anything else is asked: most of what is wrong is wrong here."""
        url: str = self.cleaned_data["url"]
        try:
            if "url" in self.changed_data:
                check_url(url)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Keep the events that the kind has; there has to be one."""
        cleaned = super().clean() or self.cleaned_data
        known = DIALECTS[self.kind()].words() if self.kind() else ()
        if self.kind() and "events" in cleaned:
            cleaned["events"] = [word for word in cleaned["events"] if word in known]
            if not cleaned["events"]:
                self.add_error("events", now_("Choose at least one event."))
        return cleaned

    def change(self) -> HookChange:
        """What differs from what is there."""
        data, kind = self.cleaned_data, DIALECTS[self.kind()]
        given: dict[str, Any] = {
            name: data[name]
            for name in ("name", "url", "events", "verify_tls", "description")
            if name in self.changed_data
        }
        if "status" in self.changed_data:
            given["status"] = WebhookStatus(data["status"])
        secret = self._sealed("secret") if kind.takes_secret else None
        authorization = self._sealed("authorization") if kind.takes_authorization else None
        return HookChange(secret=secret, authorization=authorization, **given)

    def _sealed(self, name: str) -> str | None:
        """What was typed; empty where it goes, None where it stays."""
        typed: str = self.cleaned_data[name]
        return typed or ("" if self.cleaned_data[f"drop_{name}"] else None)


class NewWebhookForm(WebhookForm):
    """A new webhook: also its kind, and what it is about, of which the form offers what the actor may."""

    dialect = forms.ChoiceField(label=_("Kind"))
    scope = forms.ChoiceField(label=_("About"))
    model = forms.CharField(
        label=_("Model"),
        max_length=256,
        required=False,
        help_text=_("The name of a registered model that you manage."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, actor: Actor, data: Any = None, *, model: str = "", dialect: str = "") -> None:
        scopes = list(_scopes(actor))
        initial = {"model": model, "scope": _MODEL if model else scopes[0][0], "dialect": dialect}
        super().__init__(data, initial=initial)
        self.actor = actor
        kinds = [(code, one.title) for code, one in DIALECTS.items()]
        cast("forms.ChoiceField", self.fields["dialect"]).choices = kinds
        cast("forms.ChoiceField", self.fields["scope"]).choices = scopes

    def kind(self) -> str:
        """The kind that was chosen."""
        return str(self.cleaned_data.get("dialect", ""))

    def place(self) -> access.Place | None:
        """What it is about; None, and said beside the field, where that isn't the actor's to choose."""
        scope = self.cleaned_data["scope"]
        try:
            if scope == _MODEL:
                return access.place_of_object(self.actor, ObjectKind.REGISTERED_MODEL, self._model())
            if scope == _SITE:
                return access.place_of_site(self.actor)
            return access.place_of_team(self.actor, scope.removeprefix(_TEAM))
        except (NotFound, PermissionDenied, InvalidInput) as error:
            self.add_error("model" if scope == _MODEL else "scope", error.message)
            return None

    def _model(self) -> str:
        name = str(self.cleaned_data["model"])
        if not name:
            raise InvalidInput(now_("Which model?"))
        return name


def _scopes(actor: Actor) -> list[tuple[str, str]]:
    """What the actor may choose: teams first, since most webhooks are about one."""
    administers = [pk for pk, role in actor.roles.items() if role is Role.ADMIN]
    teams = Team.objects.visible_to(actor)
    names = (teams if actor.is_admin else teams.filter(pk__in=administers)).order_by("name")
    of_teams = [
        (_TEAM + name, now_("All models of the team %s") % name) for name in names.values_list("name", flat=True)
    ]
    of_site = [(_SITE, now_("All models of all teams"))] if actor.is_admin else []
    return [*of_teams, (_MODEL, now_("One model")), *of_site]
