"""Who may call a model that somebody serves beside this server, with `slipway models serve`: who may read its files."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput, NotFound, PermissionDenied
from apps.core.paths import ArtifactPath
from apps.core.rules import scope_words
from apps.experiments import lending
from apps.experiments.artifacts.folders import resolve


def require_caller(actor: Actor, *, files: str) -> None:
    """Raise unless the actor may call what is made of the files at an address; empty: of files of nobody here.

    Of a token it wants the scope `serve`, which is for calling alone: whether the files may be read is asked of the
    person that it stands for.
    """
    if not actor.may_use(Scope.SERVE, reads=False):
        raise PermissionDenied(scope_words(actor, Scope.SERVE))
    if files:
        _require_readable(replace(actor, scopes=frozenset({Scope.ALL})), files)


def _require_readable(person: Actor, files: str) -> None:
    parts = urlsplit(files)
    if parts.scheme == "mlflow-artifacts":
        resolve(person, ArtifactPath.parse(parts.path.strip("/")), Level.READ)
    elif parts.scheme != "s3":
        raise InvalidInput("files: an address is wanted, mlflow-artifacts:/… or s3://….")
    elif not person.is_admin and not lending.is_lent(person, files.rstrip("/")):
        raise NotFound("No such artifact folder.")
