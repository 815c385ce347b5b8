"""Entry points in containers of a Docker engine, for projects with `docker_env`."""

from apps.runtime.docker.containers import Docker
from apps.runtime.docker.engine import abilities
from apps.runtime.docker.reaping import reap
from apps.runtime.docker.rules import CALLERS_OWN, Rules, rules_of_site
from apps.runtime.docker.variables import variables_of
from apps.runtime.docker.volumes import CODE

__all__ = ["CALLERS_OWN", "CODE", "Docker", "Rules", "abilities", "reap", "rules_of_site", "variables_of"]
