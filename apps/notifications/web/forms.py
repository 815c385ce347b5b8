from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.notifications.models import Choice, MailTiming
from apps.notifications.selectors import Preferences
from apps.notifications.topics import Topic, known_topics

# What the menu of an object offers, with what it means.
CHOICES = [
    (Choice.ALL, _("Everything"), _("All that happens to it")),
    (Choice.DEFAULT, _("What concerns you"), _("Your requests, approvals you may give, and mentions")),
    (Choice.NONE, _("Nothing"), _("Mentions alone")),
]
_OWN_DEFAULT = ""
_WORDS = {Choice.ALL: _("everything"), Choice.DEFAULT: _("what concerns you"), Choice.NONE: _("nothing but mentions")}


class ChoiceForm(forms.Form):
    """How much to hear of an object."""

    choice = forms.ChoiceField(choices=Choice.choices)

    def chosen(self) -> Choice:
        """The choice that was made."""
        return Choice(self.cleaned_data["choice"])


class PreferencesForm(forms.Form):
    """When to get mail, and how much to hear of each topic."""

    mail = forms.ChoiceField(
        label=_("Mail"),
        choices=[
            (MailTiming.AT_ONCE.value, _("at once")),
            (MailTiming.DAILY.value, _("once a day, what is still unread")),
            (MailTiming.NONE.value, _("never")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, chosen: Preferences, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mail"].initial = chosen.mail.value
        for topic in sorted(known_topics().values(), key=lambda one: one.code):
            field = forms.ChoiceField(label=str(topic.title), choices=_choices_of(topic), required=False)
            field.initial = _stored(topic, chosen.topics.get(topic.code))
            self.fields[_name_of(topic)] = field

    def topic_fields(self) -> Iterator[forms.BoundField]:
        """The fields of the table."""
        return (self[name] for name in self.fields if name != "mail")

    def timing(self) -> MailTiming:
        """When mail is wanted."""
        return MailTiming(self.cleaned_data["mail"])

    def topics(self) -> dict[str, Choice | None]:
        """The choice for each topic; None where it is the topic's own."""
        given = {topic.code: self.cleaned_data[_name_of(topic)] for topic in known_topics().values()}
        return {code: Choice(value) if value else None for code, value in given.items()}


def _name_of(topic: Topic) -> str:
    return f"topic-{topic.code}"


def _choices_of(topic: Topic) -> Sequence[tuple[str, Any]]:
    """The topic's own default first: for most that is what concerns somebody."""
    if topic.default:
        own = (_OWN_DEFAULT, _WORDS[Choice.DEFAULT])
        return [own, *[(choice.value, _WORDS[choice]) for choice in (Choice.ALL, Choice.NONE)]]
    own = (_OWN_DEFAULT, _("only of what you follow"))
    return [own, *[(choice.value, word) for choice, word in _WORDS.items()]]


def _stored(topic: Topic, choice: Choice | None) -> str:
    is_own = choice is None or (topic.default and choice is Choice.DEFAULT)
    return _OWN_DEFAULT if is_own else cast(Choice, choice).value
