"""The deployments of the demo teams: which versions they served, and how they were called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.deployments.follows import Follow
from apps.deployments.models import Following, FollowMode


@dataclass(frozen=True)
class DemoRevision:
    """A revision of a version of the deployment's model, `hours` ago; `weight` is its percent of the traffic.

    `failed`: what its log ended with, where it could not be made ready.
    """

    who: str
    version: int
    hours: float
    weight: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    failed: str = ""
    is_canary: bool = False
    # Answers a second at noon, the median in ms, and how many of 1000 fail.
    rate: float = 0
    median_ms: float = 4
    failing: float = 0


@dataclass(frozen=True)
class DemoDeployment:
    """A deployment of a team's model, made by `maker`."""

    team: str
    model: str
    name: str
    maker: str
    description: str
    revisions: tuple[DemoRevision, ...]
    follow: Follow = field(default_factory=Follow)
    stages: tuple[str, ...] = ()


_TOO_SMALL = """\
The model can't be loaded: it wanted more than its memory limit of 256 MB.
[slipway] Loading model.pkl
Traceback (most recent call last):
  File "lstm.py", line 88, in load
    weights = np.concatenate(parts)
MemoryError: Unable to allocate 412. MiB for an array with shape (54001664,) and data type float64
[slipway] The model can't be loaded: MemoryError: Unable to allocate 412. MiB"""

DEPLOYMENTS = (
    DemoDeployment(
        "finance",
        "credit-scorecard",
        "credit-scorecard",
        "marco",
        "Scores applications as they come in. The loan desk calls it.",
        (
            DemoRevision("marco", 1, 250, config={"memory_mb": 512}, rate=3, median_ms=6),
            DemoRevision(
                "olivia",
                2,
                88,
                90,
                {"memory_mb": 512, "instances": 2},
                "In Production.",
                rate=4,
                median_ms=5,
                failing=0.6,
            ),
            DemoRevision(
                "marco",
                3,
                6,
                10,
                {"memory_mb": 512, "instances": 2},
                "A tenth of the desk first.",
                is_canary=True,
                rate=0.45,
                median_ms=9,
                failing=21,
            ),
        ),
        Follow(Following.STAGE, "Production", FollowMode.PROPOSE),
    ),
    DemoDeployment(
        "health",
        "readmission-risk",
        "readmission-risk",
        "amara",
        "Asked once for each patient who leaves. Keeps to whatever is in Production.",
        (DemoRevision("amara", 1, 7, 100, {"memory_mb": 1024, "timeout_s": 10}, rate=0.08, median_ms=21),),
        Follow(Following.STAGE, "Production", FollowMode.APPLY),
        ("Production",),
    ),
    DemoDeployment(
        "manufacturing",
        "bearing-life",
        "bearing-life",
        "diego",
        "Reads the sensors of line 3 every few seconds.",
        (
            DemoRevision("diego", 1, 76, 100, {"memory_mb": 2048, "workers": 2}, rate=11, median_ms=38, failing=1.2),
            DemoRevision(
                "diego", 2, 4, config={"memory_mb": 256}, reason="Does it fit the small box?", failed=_TOO_SMALL
            ),
        ),
    ),
)
