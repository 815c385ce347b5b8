from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from apps.core.paths import ArtifactPath
from apps.registry.mlmodel import folder_of_version, read_mlmodel
from apps.registry.models import (
    ModelVersion,
    Placement,
    PromotionRequest,
    RegisteredModel,
    RequestState,
)


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_models_with_a_history_made_once() -> None:
    said = seed()
    assert "Registered 4 models, 8 versions, 1 prompts." in said
    assert "credit-scorecard version 3 to Production: olivia may decide at /approvals/" in said
    assert set(PromotionRequest.objects.values_list("state", flat=True)) >= {
        RequestState.OPEN.value,
        RequestState.APPLIED.value,
        RequestState.REJECTED.value,
    }
    assert ModelVersion.objects.filter(model__name="credit-scorecard", stage="Production").get().number == 2
    assert ModelVersion.objects.filter(model__name="bearing-life", stage="Production").get().number == 1
    version = ModelVersion.objects.get(model__name="credit-scorecard", number=3)
    assert read_mlmodel(version).signature is not None
    assert folder_of_version(version).exists(ArtifactPath.parse("requirements.txt"))
    for placement in Placement.objects.filter(until_ms__isnull=False):
        assert placement.from_ms < (placement.until_ms or 0)
    before = RegisteredModel.objects.count(), PromotionRequest.objects.count()
    assert "Registered 0 models, 0 versions, 0 prompts." in seed()
    assert (RegisteredModel.objects.count(), PromotionRequest.objects.count()) == before
