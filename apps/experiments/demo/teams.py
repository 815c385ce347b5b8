from __future__ import annotations

from apps.core.actor import Role
from apps.experiments.demo import stories
from apps.experiments.demo.stories import DemoDataset, DemoExperiment, DemoTeam

# Somebody in every team, to try the team switcher with.
EVERYWHERE = ("demo", "Demo Person")

TEAMS = (
    DemoTeam(
        "finance",
        "Credit risk and fraud.",
        (
            ("olivia", "Olivia Brandt", Role.MAINTAINER),
            ("marco", "Marco Silva", Role.MEMBER),
            ("hugo", "Hugo Weiss", Role.VIEWER),
        ),
        (
            DemoExperiment(
                "credit-risk-scorecard",
                "Probability of default within 12 months.\n\n- **Better** is a higher `val_auc` with `ks` above 0.4\n"
                "- data: applications of 2024 and 2025, without the pilot branch\n",
                {"domain": "credit", "owner team": "risk models"},
                "scorecard/train.py",
                DemoDataset(
                    "applications-2025",
                    "9f31c2aa",
                    184_220,
                    ("income", "age", "debt_ratio", "months_employed", "defaulted"),
                ),
                stories.scorecards,
            ),
            DemoExperiment(
                "card-fraud",
                "Unusual card payments. Fewer than 300 alerts a day, please.",
                {"domain": "fraud"},
                "fraud/autoencoder.py",
                DemoDataset(
                    "payments-june", "4be07d19", 1_204_551, ("amount", "country", "hour", "merchant_type", "fraud")
                ),
                stories.fraud,
            ),
        ),
    ),
    DemoTeam(
        "health",
        "Diagnosis and care paths.",
        (
            ("amara", "Amara Okafor", Role.MAINTAINER),
            ("jonas", "Jonas Lindqvist", Role.MEMBER),
            ("lin", "Lin Chen", Role.VIEWER),
        ),
        (
            DemoExperiment(
                "readmission-30-days",
                "Who comes back within 30 days? Each candidate is run over five folds, which are nested runs.",
                {"domain": "hospital"},
                "readmission/folds.py",
                DemoDataset("discharges", "c11e5502", 58_114, ("age", "diagnosis", "length_of_stay", "readmitted")),
                stories.readmission,
            ),
            DemoExperiment(
                "chest-xray-triage",
                "Urgent or not. `val_loss` counts; look at the curves before you trust the last value.",
                {"domain": "imaging", "gpu": "1"},
                "xray/train.py",
                DemoDataset("xray-v3", "77aa10fe", 112_120, ("image", "label")),
                stories.imaging,
            ),
        ),
    ),
    DemoTeam(
        "manufacturing",
        "Sensors and maintenance.",
        (
            ("petra", "Petra Novak", Role.MAINTAINER),
            ("diego", "Diego Ramos", Role.MEMBER),
            ("sana", "Sana Malik", Role.VIEWER),
        ),
        (
            DemoExperiment(
                "bearing-remaining-life",
                "Hours until a bearing fails, from 12 sensors. Longer windows help up to a point.",
                {"domain": "maintenance", "plant": "north"},
                "bearings/sequence.py",
                DemoDataset(
                    "bearing-sensors",
                    "e3d4420b",
                    2_156_000,
                    ("vibration_x", "vibration_y", "temperature", "rpm", "hours_left"),
                ),
                stories.bearings,
            ),
            DemoExperiment(
                "line-3-vibration-alarms",
                "",
                {"domain": "alarms"},
                "alarms/threshold.py",
                DemoDataset("line-3", "0a51be77", 604_800, ("band_energy", "alarm")),
                stories.vibration,
            ),
        ),
    ),
)
