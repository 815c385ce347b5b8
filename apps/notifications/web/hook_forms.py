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
from apps.notifications.jobs import job_starter
from apps.notifications.models import Webhook, WebhookStatus
from apps.notifications.web.event_words import event_words

_TYPED_ANEW = {"autocomplete": "new-password", "spellcheck": "false"}
_MODEL, _SITE, _TEAM = "model", "site", "team:"
_CALLS, _STARTS = "url", "job"


class WebhookForm(forms.Form):
    """What can be changed of a webhook that is there."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Letters, digits, dots, underscores and hyphens, such as “ci-deploy”."),
    )
    does = forms.ChoiceField(
        label=_("What it does"),
        choices=[(_CALLS, _("Call a URL")), (_STARTS, _("Start a project run"))],
        initial=_CALLS,
        required=False,
    )
    url = forms.CharField(
        label=_("URL"), max_length=2048, required=False, widget=forms.URLInput(attrs={"spellcheck": "false"})
    )
    job = forms.ChoiceField(label=_("Project"), required=False, choices=[])
    job_entry_point = forms.CharField(
        label=_("Entry point"),
        max_length=250,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Empty: main, or the only one. Its parameter “event” is what happened, as JSON; “model”, “version” and "
            "“stage” are given where it declares them."
        ),
    )
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

    def __init__(self, actor: Actor, data: Any = None, *, hook: Webhook | None = None, **kwargs: Any) -> None:
        fields = ("name", "url", "job", "job_entry_point", "events", "status", "verify_tls", "description")
        initial = {name: getattr(hook, name) for name in fields} if hook else {}
        initial["does"] = _STARTS if hook and hook.job else _CALLS
        super().__init__(data, initial=initial | kwargs.pop("initial", {}), **kwargs)
        self.hook, self.actor = hook, actor
        self._offer_jobs()
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

    def job_dialects(self) -> str:
        """The kinds (codes, separated by blanks) that may start a run."""
        return " ".join(code for code, one in DIALECTS.items() if one.takes_jobs)

    def takes_jobs(self) -> bool:
        """Whether one that is there may start a run."""
        return self.hook is not None and DIALECTS[self.hook.dialect].takes_jobs

    def starts_job(self) -> bool:
        """Whether it is to start a run; what the kind lacks is left aside."""
        kind = DIALECTS.get(self.kind())
        return self.cleaned_data.get("does") == _STARTS and kind is not None and kind.takes_jobs

    def _offer_jobs(self) -> None:
        """Those that the actor may start, and that which it starts now."""
        jobs = job_starter().offered(self.actor)
        known = {job.key for job in jobs}
        now = self.hook.job if self.hook else ""
        kept = [(now, now_("as it is now"))] if now and now not in known else []
        choices = [("", now_("Choose a project")), *kept, *((job.key, job.name) for job in jobs)]
        cast("forms.ChoiceField", self.fields["job"]).choices = choices

    def clean_url(self) -> str:
        """Beside the field, before anything else is asked: most of what is wrong is wrong here."""
        url: str = self.cleaned_data["url"]
        if not url or self.cleaned_data.get("does") == _STARTS:
            return url
        try:
            if "url" in self.changed_data:
                check_url(url)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Keep the events that the kind has; there has to be one."""
        cleaned = super().clean() or self.cleaned_data
        wanted = "job" if self.starts_job() else "url"
        if self.kind() and not cleaned.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, now_("This field is required."))
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
            name: data[name] for name in ("name", "events", "verify_tls", "description") if name in self.changed_data
        }
        if self.starts_job():
            return HookChange(status=self._status(), **self._job(), **given)
        # One that started a job until now calls what is there, also where that wasn't typed anew.
        if "url" in self.changed_data or (self.hook and self.hook.job):
            given["url"] = data["url"]
        secret = self._sealed("secret") if kind.takes_secret else None
        authorization = self._sealed("authorization") if kind.takes_authorization else None
        return HookChange(status=self._status(), secret=secret, authorization=authorization, **given)

    def _status(self) -> WebhookStatus | None:
        return WebhookStatus(self.cleaned_data["status"]) if "status" in self.changed_data else None

    def _job(self) -> dict[str, Any]:
        """The job, where another is chosen."""
        if self.hook and not {"job", "job_entry_point", "does"} & set(self.changed_data):
            return {}
        return {"job": self.cleaned_data["job"], "job_entry_point": self.cleaned_data["job_entry_point"].strip()}

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
        super().__init__(actor, data, initial=initial)
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
