from __future__ import annotations

from collections.abc import Mapping

from apps.core.errors import InvalidInput
from apps.runtime.environments.kinds import DockerEnvironment


def variables_of(environment: DockerEnvironment, callers: Mapping[str, str]) -> dict[str, str]:
    """What a `docker_env` sets, and what it takes from the caller: of a run, what it was given and no worker's own.

    Raises `InvalidInput` that names what the caller does not have.
    """
    missing = [name for name, value in environment.variables if value is None and name not in callers]
    if missing:
        raise InvalidInput(
            f"The project's container takes these variables from you, and they are not set: {', '.join(missing)}."
        )
    return {name: callers[name] if value is None else value for name, value in environment.variables}
