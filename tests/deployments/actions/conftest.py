from __future__ import annotations

import pytest

from apps.deployments.models import Deployment
from tests.deployments.making import ready_deployment
from tests.personas import People


@pytest.fixture
def deployed(people: People) -> Deployment:
    """Ada's deployment `iris`, whose first revision has all the traffic."""
    return ready_deployment(people.ada)
