"""Databricks' comments on versions, and the list that they lack."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.core.actor import Actor, Scope
from apps.core.errors import NotFound
from apps.core.keys import parse_key
from apps.core.mlflow.paging import next_page, page_of
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request
from apps.registry import access, actions
from apps.registry.mlflow.databricks_shapes import comment_json
from apps.registry.models import Comment


class CreateComment(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "comment")
    name: str = ""
    version: str | int = ""
    comment: str = ""


class NumberedComment(Request):
    required: ClassVar[tuple[str, ...]] = ("id",)
    id: str = ""


class UpdateComment(NumberedComment):
    required: ClassVar[tuple[str, ...]] = ("id", "comment")
    comment: str = ""


class ListComments(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "version")
    name: str = ""
    version: str | int = ""
    max_results: Int64 = 100
    page_token: str = ""


@endpoint(Scope.REGISTRY)
def create_comment(actor: Actor, request: CreateComment) -> Any:
    version = access.get_version(actor, request.name, request.version)
    made = actions.comment_on(actor, version=version, text=request.comment)
    return {"comment": comment_json(actor, made)}


@endpoint(Scope.REGISTRY)
def update_comment(actor: Actor, request: UpdateComment) -> Any:
    changed = actions.change_comment(actor, comment=_find(actor, request), text=request.comment)
    return {"comment": comment_json(actor, changed)}


@endpoint(Scope.REGISTRY)
def delete_comment(actor: Actor, request: NumberedComment) -> Any:
    actions.delete_comment(actor, comment=_find(actor, request))
    return {}


@endpoint(Scope.REGISTRY, reads=True)
def list_comments(actor: Actor, request: ListComments) -> Any:
    version = access.get_version(actor, request.name, request.version)
    found = Comment.objects.filter(version=version)
    page = page_of(actor, found, request.max_results, request.page_token, "comments", version.pk)
    for comment in page.items:
        comment.version = version
    return {"comments": [comment_json(actor, comment) for comment in page.items]} | next_page(page)


def _find(actor: Actor, request: NumberedComment) -> Comment:
    key = parse_key(request.id)
    if key is None:
        raise NotFound(f"Comment with id={request.id[:100]} not found")
    return access.get_comment(actor, key)


ROUTES = [
    Route("POST", "2.0/mlflow/comments/create", create_comment),
    Route("PATCH", "2.0/mlflow/comments/update", update_comment),
    Route("DELETE", "2.0/mlflow/comments/delete", delete_comment),
    Route("GET", "2.0/mlflow/comments/list", list_comments),
]
