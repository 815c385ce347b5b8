"""Entry points in containers of a Docker engine, for projects with `docker_env`."""

from apps.projects.backends.docker.containers import Docker
from apps.projects.backends.docker.engine import abilities
from apps.projects.backends.docker.reaping import reap
from apps.projects.backends.docker.rules import CALLERS_OWN, Rules, rules_of_site
from apps.projects.backends.docker.variables import variables_of
from apps.projects.backends.docker.volumes import CODE

__all__ = ["CALLERS_OWN", "CODE", "Docker", "Rules", "abilities", "reap", "rules_of_site", "variables_of"]
