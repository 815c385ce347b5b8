from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.accounts.kinds import Target
from apps.accounts.models import ObjectKind
from apps.core.addresses import Allowed
from apps.core.errors import InvalidInput, NotFound, PermissionDenied
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, errors_in, methods
from apps.core.rules import signed_in
from apps.notifications import access, actions
from apps.notifications.models import Delivery, Webhook
from apps.notifications.querysets import WebhookQuerySet
from apps.notifications.rights import firing
from apps.notifications.selectors import targets_of, webhooks_of
from apps.notifications.web.hook_forms import NewWebhookForm, WebhookForm

_PAGE_SIZE = 50


@signed_in
@methods("GET")
def webhook_list(request: ActorRequest) -> HttpResponse:
    """The webhooks that one manages, with what came of their last call."""
    own = with_last_call(webhooks_of(request.actor).select_related("team", "owner"))
    page = Paginator(own, _PAGE_SIZE).get_page(request.GET.get("page"))
    hooks = list(page)
    targets, may_speak = targets_of(hooks), firing(hooks)
    rows = [(hook, target_of(hook, targets), hook.pk in may_speak) for hook in hooks]
    return render(request, "notifications/webhook_list.html", {"page": page, "rows": rows})


@signed_in
@methods("GET", "POST")
def webhook_new(request: ActorRequest) -> HttpResponse:
    """Make a webhook; `?model=` is the one it is about."""
    form = NewWebhookForm(request.actor, request.POST or None, model=_asked_for(request))
    if request.method == "POST" and form.is_valid() and (place := form.place()) is not None:
        with errors_in(form):
            hook = actions.create_webhook(request.actor, place=place, dialect=form.kind(), change=form.change())
            messages.success(request, _("It is there. Send it a test to see what the receiver answers."))
            return redirect("notifications:webhook", uid=hook.uid)
    return _form_page(request, form, title=_("New webhook"))


@signed_in
@methods("GET", "POST")
def webhook_edit(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Change a webhook. What it is about and its kind stay."""
    hook = access.get_webhook(request.actor, str(uid))
    form = WebhookForm(request.actor, request.POST or None, hook=hook)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.change_webhook(request.actor, webhook=hook, change=form.change())
            messages.success(request, _("Saved."))
            return redirect("notifications:webhook", uid=hook.uid)
    return _form_page(request, form, title=_("Edit %s") % hook, hook=hook)


@signed_in
@methods("POST")
def webhook_delete(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Delete a webhook and its log."""
    hook = access.get_webhook(request.actor, str(uid))
    actions.delete_webhook(request.actor, webhook=hook)
    messages.success(request, _("The webhook “%s” is deleted.") % hook)
    return redirect("notifications:webhooks")


@signed_in
@methods("POST")
def webhook_test(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Call the receiver with an example now, and say what it answered."""
    hook = access.get_webhook(request.actor, str(uid))
    delivery = actions.send_test(request.actor, webhook=hook, word=request.POST.get("event", ""))
    if delivery.error:
        messages.error(request, _("The test failed: %s.") % delivery.error.rstrip("."))
    else:
        messages.success(request, _("The receiver took it and answered %s.") % delivery.status)
    return redirect("notifications:webhook", uid=hook.uid)


def with_last_call(hooks: WebhookQuerySet) -> WebhookQuerySet:
    """With the state and the time of each one's last delivery."""
    last = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-pk")
    return hooks.annotate(
        last_state=Subquery(last.values("state")[:1]), last_at=Subquery(last.values("created_at")[:1])
    )


def target_of(hook: Webhook, targets: dict[tuple[str, int], Target]) -> Target | None:
    """The object that a webhook is about; None for one of a team or of the site."""
    return targets.get((hook.kind, hook.object_id or 0))


def _asked_for(request: ActorRequest) -> str:
    """The model that the page is opened for: its name, or its key where another team's can't be found by name."""
    given = request.GET.get("model", "").replace("\x00", "")[:256]
    try:
        place = access.place_of_object(request.actor, ObjectKind.REGISTERED_MODEL, given) if given else None
    except (NotFound, PermissionDenied, InvalidInput):
        return ""
    if place is None or place.target is None:
        return ""
    return place.target.name if place.team_id == request.actor.team_id else place.target.key


def _form_page(request: ActorRequest, form: WebhookForm, *, title: str, hook: Webhook | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "hook": hook, "opened": _opened(request)}
    status = REFUSED if form.is_bound and form.errors else 200
    return render(request, "notifications/webhook_form.html", context, status=status)


def _opened(request: ActorRequest) -> list[str]:
    """The private hosts and networks that the operator opened; names of a network's inside are for administrators."""
    allowed: Allowed = settings.OUTGOING_ALLOW
    return [*sorted(allowed.hosts), *map(str, allowed.networks)] if request.actor.is_admin else []
