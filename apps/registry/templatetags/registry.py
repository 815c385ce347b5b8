"""The small words of the registry's pages."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core.templatetags.ui import pill
from apps.registry import addresses
from apps.registry.models import ModelVersion, PromotionRequest, RegisteredModel
from apps.registry.selectors import slots
from apps.registry.stages import Slot, Stage

register = template.Library()

_TONES = {Stage.PRODUCTION: "ok", Stage.STAGING: "warn"}


@register.simple_tag
def stage(name: str, more: str = "") -> SafeString:
    """A stage as a pill, with `more` behind its name; a dash for the stage None."""
    if name == Stage.NONE:
        return format_html('<span class="faint">{}</span>', "-")
    return pill(name, label=f"{_stage_name(name)} {more}".strip(), tone=_TONES.get(Stage(name), ""))


@register.filter
def slot_key(slot: Slot) -> str:
    """A slot as addresses and forms write it."""
    return slots.slot_key(slot)


@register.filter
def model_url(model: RegisteredModel) -> str:
    """The path of the model's page."""
    return addresses.model_url(model)


@register.filter
def version_url(version: ModelVersion) -> str:
    """The path of the version's page."""
    return addresses.version_url(version)


@register.filter
def request_url(request: PromotionRequest) -> str:
    """The path of the request's page."""
    return addresses.request_url(request)


def _stage_name(name: str) -> str:
    names = {"Staging": _("Staging"), "Production": _("Production"), "Archived": _("Archived")}
    return names.get(name, name)
