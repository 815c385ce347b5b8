"""What the demo teams registered, what their policies demand, and who asked for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.core.actor import Level
from apps.registry.policies import Rules


@dataclass(frozen=True)
class Step:
    """Something done with a version, `hours` ago: `ask`, `approve`, `reject`, `move`, `roll back` or `alias`."""

    do: str
    who: str
    what: str
    hours: float
    words: str = ""


@dataclass(frozen=True)
class DemoVersion:
    """A version of the best run of those whose names begin with `run`; `steps` in order of time."""

    run: str
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DemoModel:
    """A model of a team: `maker` registers its versions from runs of `experiment`."""

    team: str
    experiment: str
    name: str
    maker: str
    description: str
    library: str
    inputs: tuple[str, ...]
    output: str
    tags: Mapping[str, str]
    policy: Rules | None
    versions: tuple[DemoVersion, ...]


@dataclass(frozen=True)
class DemoPrompt:
    """A prompt: its texts from the first to the newest, each with what is new in it."""

    team: str
    name: str
    maker: str
    description: str
    texts: tuple[tuple[str, str], ...]


# What each demo team's Production demands where the model itself says nothing: people of the team look at it.
TEAM_RULES = Rules(
    approvals=1,
    approver_role="maintainer",
    ask_level=Level.EDIT.value,
    rollback_by="maintainer",
    gates=({"kind": "signature", "params": {}},),
    timeout_hours=336,
)


def _gate(kind: str, **params: Any) -> Mapping[str, Any]:
    return {"kind": kind, "params": params}


MODELS = (
    DemoModel(
        "finance",
        "credit-risk-scorecard",
        "credit-scorecard",
        "marco",
        "Probability that somebody defaults **within 12 months**. For new applications only.\n\n"
        "- never for existing customers: see `behaviour-scorecard`\n- income above 250,000 is clipped\n",
        "sklearn",
        ("income", "age", "debt_ratio", "months_employed"),
        "double",
        {"domain": "credit", "owner team": "risk models"},
        Rules(
            approvals=1,
            approver_role="maintainer",
            ask_level=Level.EDIT.value,
            override_by="admin",
            rollback_by="maintainer",
            gates=(
                _gate("signature"),
                _gate("metric", key="val_auc", operator=">=", value=0.75),
                _gate("better", key="val_auc", direction="higher", margin=0),
                _gate("description", characters=20),
            ),
        ),
        (
            DemoVersion(
                "logistic-l2",
                "The first scorecard: logistic regression on the applications of 2025.",
                {"validated": "yes"},
                (
                    Step("ask", "marco", "Production", 260, "Replaces the spreadsheet."),
                    Step(
                        "approve", "olivia", "Production", 250, "Checked against the spreadsheet on 200 applications."
                    ),
                ),
            ),
            DemoVersion(
                "trial-",
                "Gradient boosting, the best trial of the sweep. Better on short employment.",
                {"validated": "yes"},
                (
                    Step("ask", "marco", "Production", 96),
                    Step("approve", "olivia", "Production", 90, "Fairness report is fine."),
                    Step("alias", "marco", "champion", 89),
                ),
            ),
            DemoVersion(
                "scorecard-2026-q4",
                "Retrained with the applications of **2026**; the same features as version 2.",
                {"candidate": "yes"},
                (
                    Step("alias", "marco", "challenger", 20),
                    Step(
                        "ask",
                        "marco",
                        "Production",
                        18,
                        "Two points of AUC more. @olivia, could you look before Friday?",
                    ),
                ),
                (
                    ("hugo", "Is the drop of `ks` among the under-30s known?"),
                    ("marco", "Yes: 0.2 points, within the noise. The report is in the run's files."),
                ),
            ),
        ),
    ),
    DemoModel(
        "finance",
        "card-fraud",
        "card-fraud-detector",
        "marco",
        "Marks unusual card payments. Fewer than 300 alerts a day.",
        "sklearn",
        ("amount", "country", "hour", "merchant_type"),
        "boolean",
        {"domain": "fraud"},
        None,
        (
            DemoVersion(
                "isolation-forest-3",
                "Isolation forest at a contamination of 0.5 %.",
                {},
                (Step("move", "olivia", "Staging", 60, "Shadow traffic for a week."),),
            ),
            DemoVersion(
                "autoencoder-32",
                "Autoencoder. Reconstruction error as score.",
                {"candidate": "yes"},
                (
                    Step("ask", "marco", "Production", 12),
                    Step(
                        "reject",
                        "olivia",
                        "Production",
                        6,
                        "600 alerts a day in the shadow run: twice of what we can look at.",
                    ),
                ),
            ),
        ),
    ),
    DemoModel(
        "health",
        "readmission-30-days",
        "readmission-risk",
        "jonas",
        "Who comes back within 30 days. Two people approve: one of the team, one of the clinical board.",
        "sklearn",
        ("age", "diagnosis", "length_of_stay"),
        "double",
        {"domain": "hospital"},
        Rules(
            approvals=2,
            approver_role="maintainer",
            ask_level=Level.EDIT.value,
            gates=(_gate("signature"), _gate("metric", key="auc", operator=">=", value=0.7)),
        ),
        (
            DemoVersion(
                "histgradientboosting",
                "Gradient boosting over five folds.",
                {"validated": "yes"},
                (
                    Step("move", "amara", "Staging", 40),
                    Step("ask", "jonas", "Production", 30, "Shadow mode has run for two weeks."),
                    Step("approve", "amara", "Production", 8, "Calibration looks right."),
                ),
            ),
        ),
    ),
    DemoModel(
        "manufacturing",
        "bearing-remaining-life",
        "bearing-life",
        "diego",
        "Hours until a bearing fails.",
        "pytorch",
        ("vibration_x", "vibration_y", "temperature", "rpm"),
        "double",
        {"plant": "north"},
        None,
        (
            DemoVersion(
                "lstm-window-128",
                "Window of 128 samples.",
                {},
                (
                    Step("ask", "diego", "Production", 80),
                    Step("approve", "petra", "Production", 78),
                ),
            ),
            DemoVersion(
                "tcn-window-256",
                "Convolutions instead of an LSTM: four times as fast on the line's computer.",
                {},
                (
                    Step("ask", "diego", "Production", 50),
                    Step("approve", "petra", "Production", 48, "Try it on line 3 first."),
                    Step(
                        "roll back",
                        "petra",
                        "Production",
                        26,
                        "Line 3 stood still: values are missing when a sensor restarts.",
                    ),
                ),
            ),
        ),
    ),
)

PROMPTS = (
    DemoPrompt(
        "health",
        "discharge-summary",
        "jonas",
        "Turns a discharge letter into three sentences for the general practitioner.",
        (
            ("Summarise this letter in three sentences:\n\n{{ letter }}", "first words"),
            (
                "You write for a general practitioner.\nSummarise this letter in three sentences:\n\n{{ letter }}",
                "say for whom",
            ),
            (
                "You write for a general practitioner.\nSummarise this letter in three sentences.\n"
                "Name changed medication first. Write in {{ language }}.\n\n{{ letter }}",
                "medication first; the language is a variable",
            ),
        ),
    ),
)
