from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.deployments.models import Deployment, Instance, Revision, TrafficMinute
from tests.registry.test_seed_models import seed


@pytest.mark.django_db
def test_deployments_with_a_past_that_nothing_starts() -> None:
    assert "Deployed 3 deployments, 6 revisions, all of them stopped." in seed()
    assert not Deployment.objects.filter(is_stopped=False).exists()
    assert not Instance.objects.exists()
    assert set(Revision.objects.values_list("state", flat=True)) == {"stopped", "failed"}
    assert TrafficMinute.objects.filter(requests__gt=0).count() > 1000
    browser = Client()
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    browser.force_login(User.objects.get(username="marco"), backend=backend)
    page = browser.get("/deployments/credit-scorecard/").content.decode()
    assert "Stopped" in page and "canary" in page
    assert "Deployed 0 deployments, 0 revisions" in seed()
