"""What people say about a version."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses
from apps.registry.actions.comments import require_author, require_deleter
from apps.registry.models import Comment, ModelVersion
from apps.registry.selectors import comments
from apps.registry.web.model_forms import CommentForm, ConfirmForm
from apps.registry.web.views.versions import fetch, frame


@signed_in
@methods("GET", "POST")
def version_discussion(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """The newest comments, and a field for another one: whoever reads a version may speak."""
    version = fetch(request.actor, team, name, number)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "text"):
            comment = actions.comment_on(request.actor, version=version, text=form.cleaned_data["text"])
            return redirect(_place(version, comment))
    context = frame(request.actor, version, "discussion") | {
        "form": form,
        "rows": comments.lines_of(request.actor, version),
    }
    status = REFUSED if form.is_bound else 200
    return render(request, "registry/version_discussion.html", context, status=status)


@signed_in
@methods("GET", "POST")
def comment_edit(request: ActorRequest, comment_id: int) -> HttpResponse:
    """Say it in other words; for its author."""
    comment = access.get_comment(request.actor, comment_id)
    require_author(request.actor, comment)
    form = CommentForm(request.POST or None, initial={"text": comment.text})
    back = _place(comment.version, comment)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "text"):
            actions.change_comment(request.actor, comment=comment, text=form.cleaned_data["text"])
            return done(request, back)
    return dialog(request, form, title=_("Edit comment"), submit=_("Save"), back=back)


@signed_in
@methods("GET", "POST")
def comment_delete(request: ActorRequest, comment_id: int) -> HttpResponse:
    """Ask, then remove it; for its author and who administers the team."""
    comment = access.get_comment(request.actor, comment_id)
    require_deleter(request.actor, comment)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    back = f"{addresses.version_url(comment.version)}discussion/"
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.delete_comment(request.actor, comment=comment)
            return done(request, back)
    lead = _("The comment of %(author)s is removed for good.") % {"author": comment.author_name}
    return dialog(request, form, title=_("Delete comment"), submit=_("Delete"), lead=lead, danger=True, back=back)


def _place(version: ModelVersion, comment: Comment) -> str:
    return f"{addresses.version_url(version)}discussion/#comment-{comment.pk}"
