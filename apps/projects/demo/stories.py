"""The projects of the demo teams: their files, and how their runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.projects.demo.sources import ALARMS, BEARINGS, READMISSION, SCORECARD
from apps.projects.models import RunState


@dataclass(frozen=True)
class DemoProjectRun:
    """A run, `hours` ago, that took `minutes`. `output` are lines of its log, whose numbers are its metrics too.

    One that is `QUEUED` waits for the queue `gpu`, which is paused.
    """

    who: str
    entry_point: str
    params: Mapping[str, str]
    hours: float
    minutes: float
    state: RunState
    name: str = ""
    message: str = ""
    exit_code: int | None = 0
    score: float | None = None
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoProject:
    """A project of a team, uploaded by `maker`; its runs go to `experiment`."""

    team: str
    name: str
    maker: str
    description: str
    experiment: str
    files: Mapping[str, str]
    runs: tuple[DemoProjectRun, ...]
    env_vars: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    # Name, cron line, time zone, whether it is paused.
    schedules: tuple[tuple[str, str, str, bool], ...] = ()


_BUILDING = (
    "Resolved 42 packages",
    "Installed scikit-learn 1.5.2, numpy 1.26.4, mlflow-skinny 2.22.0",
)


def _epochs(count: int, start: float, end: float, *, of: int = 0) -> tuple[str, ...]:
    """Lines as a training writes them, `count` of as many as it wants to do."""
    return tuple(
        f"epoch {place + 1:3d}/{of or count}  loss {end + (start - end) * 0.86**place:.4f}  "
        f"\x1b[32m{(place + 1) * 100 // (of or count):3d} %\x1b[0m"
        for place in range(count)
    )


PROJECTS = (
    DemoProject(
        "finance",
        "credit-scorecard",
        "marco",
        "Trains the scorecard on the applications of a quarter, and says how good it is by age group.\n\n"
        "`train` first, `evaluate` with the model that came of it.",
        "credit-risk-scorecard",
        SCORECARD,
        (
            DemoProjectRun(
                "marco",
                "train",
                {"quarter": "2026-Q1", "max_depth": "4", "learning_rate": "0.1"},
                78,
                4.2,
                RunState.FINISHED,
                "scorecard 2026-Q1",
                score=0.842,
                output=(*_BUILDING, "184,220 applications", *_epochs(24, 0.69, 0.41), "val_auc 0.842"),
            ),
            DemoProjectRun(
                "marco",
                "train",
                {"quarter": "2026-Q2", "max_depth": "40", "learning_rate": "0.1"},
                52,
                0.4,
                RunState.FAILED,
                "scorecard 2026-Q2",
                "The command ended with code 1.",
                1,
                output=(
                    "184,220 applications",
                    "Traceback (most recent call last):",
                    '  File "train.py", line 31, in <module>',
                    "    model = grow(rows, arguments.max_depth)",
                    '  File "train.py", line 19, in grow',
                    '    raise SystemExit(f"a depth of {depth} overfits: at most 12")',
                    "\x1b[31mSystemExit: a depth of 40 overfits: at most 12\x1b[0m",
                ),
            ),
            DemoProjectRun(
                "marco",
                "train",
                {"quarter": "2026-Q2", "max_depth": "5", "learning_rate": "0.1"},
                51,
                4.9,
                RunState.FINISHED,
                "scorecard 2026-Q2, depth 5",
                score=0.851,
                output=("184,220 applications", *_epochs(30, 0.69, 0.39), "val_auc 0.851"),
            ),
            DemoProjectRun(
                "olivia",
                "evaluate",
                {"model": "models:/credit-scorecard/2"},
                27,
                1.1,
                RunState.FINISHED,
                "fairness by age group",
                score=0.848,
                output=("18-30  auc 0.822", "30-50  auc 0.856", "50-    auc 0.861", "largest gap 0.039"),
            ),
        ),
        {"REPORT_CURRENCY": "EUR"},
        {"seconds": 3600, "memory_mb": 4096},
        (("nightly", "30 2 * * 1-5", "Europe/Berlin", True), ("quarterly report", "0 6 1 1,4,7,10 *", "UTC", True)),
    ),
    DemoProject(
        "health",
        "readmission-folds",
        "jonas",
        "One candidate over five folds. Each fold is a run of its own.",
        "readmission-30-days",
        READMISSION,
        (
            DemoProjectRun(
                "jonas",
                "main",
                {"model": "histgradientboosting", "folds": "5"},
                31,
                11.5,
                RunState.FINISHED,
                "five folds",
                score=0.731,
                output=("58,114 discharges", *(f"fold {n}  auc {0.72 + n * 0.004:.3f}" for n in range(1, 6))),
            ),
            DemoProjectRun(
                "jonas",
                "main",
                {"model": "randomforest", "folds": "20"},
                6,
                22.0,
                RunState.CANCELLED,
                "twenty folds",
                "Cancelled by jonas: five are enough",
                None,
                output=("58,114 discharges", *(f"fold {n}  auc {0.70 + n * 0.002:.3f}" for n in range(1, 8))),
            ),
        ),
        schedules=(("every Sunday", "0 4 * * 0", "Europe/Stockholm", True),),
    ),
    DemoProject(
        "manufacturing",
        "bearing-life",
        "diego",
        "Windows of sensor values to hours that are left. Written as a list of entry points.",
        "bearing-remaining-life",
        BEARINGS,
        (
            DemoProjectRun(
                "diego",
                "train",
                {"window": "256"},
                44,
                38.0,
                RunState.FINISHED,
                "window 256",
                score=0.912,
                output=("2,156,000 rows of 12 sensors", *_epochs(40, 96.0, 11.4)),
            ),
            DemoProjectRun(
                "diego",
                "train",
                {"window": "512"},
                20,
                14.0,
                RunState.LOST,
                "window 512",
                "The worker demo-worker was lost, and the run with it.",
                None,
                output=("2,156,000 rows of 12 sensors", *_epochs(11, 96.0, 30.0, of=40)),
            ),
            DemoProjectRun(
                "diego", "train", {"window": "512"}, 2, 0, RunState.QUEUED, "window 512, again", exit_code=None
            ),
            DemoProjectRun("petra", "prepare", {}, 1.5, 0, RunState.QUEUED, "new sensors", exit_code=None),
        ),
        limits={"seconds": 14_400},
    ),
    DemoProject(
        "manufacturing",
        "line-3-alarms",
        "petra",
        "",
        "line-3-vibration-alarms",
        ALARMS,
        (),
    ),
)
