"""The teams, the people and what they try. Numbers are drawn from a generator, words are fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from apps.core.actor import Role
from apps.experiments.demo import curves
from apps.experiments.demo.curves import Curve


@dataclass(frozen=True)
class DemoDataset:
    """A dataset as clients log it."""

    name: str
    digest: str
    rows: int
    columns: tuple[str, ...]


@dataclass
class DemoRun:
    """A run before it is stored. `hours_ago` is its start, `minutes` its length; both are positive."""

    name: str
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Curve] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "FINISHED"
    hours_ago: float = 24.0
    minutes: float = 4.0
    deleted: bool = False
    children: list[DemoRun] = field(default_factory=list)


@dataclass(frozen=True)
class DemoExperiment:
    """An experiment: its note is Markdown, `runs` makes its runs."""

    name: str
    note: str
    tags: dict[str, str]
    script: str
    dataset: DemoDataset
    runs: Callable[[np.random.Generator], Iterator[DemoRun]]


@dataclass(frozen=True)
class DemoTeam:
    """A team with its people by role."""

    name: str
    description: str
    people: tuple[tuple[str, str, Role], ...]
    experiments: tuple[DemoExperiment, ...]


def scorecards(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Logistic regression against trees, then a sweep with nested runs."""
    for place, penalty in enumerate(("l2", "l2", "l1", "elasticnet", "l2")):
        c = float(10.0 ** rng.uniform(-2, 1))
        yield _scored(
            rng,
            f"logistic-{penalty}-{place + 1}",
            {"model": "LogisticRegression", "penalty": penalty, "C": f"{c:.4f}", "max_iter": "400"},
            auc=0.76 + rng.uniform(-0.015, 0.015),
            hours_ago=300 - 8 * place,
        )
    sweep = DemoRun(
        "gradient-boosting-sweep",
        {"model": "GradientBoosting", "trials": "10", "search": "random"},
        tags={"stage": "sweep"},
        hours_ago=120,
        minutes=96,
    )
    for trial in range(10):
        depth, rate = int(rng.integers(2, 8)), float(10.0 ** rng.uniform(-2.2, -0.4))
        auc = 0.80 + 0.01 * min(depth, 5) - abs(np.log10(rate) + 1.1) * 0.02 + rng.uniform(-0.005, 0.005)
        params = {
            "model": "GradientBoosting",
            "max_depth": str(depth),
            "learning_rate": f"{rate:.4f}",
            "subsample": "0.8",
        }
        sweep.children.append(_scored(rng, f"trial-{trial + 1:02d}", params, auc=auc, hours_ago=120 - trial * 0.15))
    best = max(sweep.children, key=lambda run: run.metrics["val_auc"][-1])
    sweep.metrics = {"best_val_auc": best.metrics["val_auc"][-1:]}
    yield sweep
    crashed = _scored(rng, "catboost-first-try", {"model": "CatBoost", "depth": "10"}, auc=0.70, hours_ago=70)
    crashed.status, crashed.tags["error"] = "FAILED", "MemoryError: 14.2 GB wanted"
    yield crashed
    yield _scored(rng, "scorecard-2026-q4", best.params, auc=0.853, hours_ago=26, tags={"candidate": "yes"})
    old = _scored(rng, "wrong-target-column", {"model": "LogisticRegression"}, auc=0.99, hours_ago=420)
    old.deleted = True
    yield old


def fraud(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Isolation forests and an autoencoder on card payments; one is running."""
    for place, share in enumerate((0.001, 0.002, 0.005, 0.01, 0.02, 0.05)):
        recall, precision = 0.55 + 6 * share, 0.92 - 7 * share
        yield DemoRun(
            f"isolation-forest-{place + 1}",
            {"model": "IsolationForest", "contamination": str(share), "n_estimators": "300"},
            {
                "precision": np.array([precision + rng.normal(0, 0.01)]),
                "recall": np.array([min(0.97, recall + rng.normal(0, 0.02))]),
                "alerts_per_day": np.array([48_000 * share]),
            },
            hours_ago=90 - 5 * place,
            minutes=2.5,
        )
    for place, size in enumerate((8, 16, 32)):
        yield _network(
            rng,
            f"autoencoder-{size}",
            {"bottleneck": str(size)},
            steps=120,
            best=0.02 + 0.4 / size,
            hours_ago=30 - 4 * place,
        )
    running = _network(
        rng, "autoencoder-64-attention", {"bottleneck": "64", "attention": "yes"}, steps=47, best=0.019, hours_ago=0.4
    )
    running.status = "RUNNING"
    yield running


def readmission(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Readmission within 30 days: folds nested in each candidate."""
    models = (("RandomForest", 0.71), ("ExtraTrees", 0.715), ("HistGradientBoosting", 0.742), ("SVC", 0.69))
    for place, (model, level) in enumerate(models):
        run = DemoRun(
            f"{model.lower()}-5-folds",
            {"model": model, "folds": "5", "class_weight": "balanced"},
            hours_ago=200 - 20 * place,
            minutes=22,
        )
        for fold in range(5):
            auc = level + rng.normal(0, 0.008)
            metrics = {
                "auc": np.array([auc]),
                "brier": np.array([0.19 - auc / 20]),
                "recall_at_20": np.array([auc - 0.2]),
            }
            run.children.append(
                DemoRun(
                    f"fold-{fold}", {"model": model, "fold": str(fold)}, metrics, hours_ago=run.hours_ago - fold / 15
                )
            )
        aucs = np.array([child.metrics["auc"][0] for child in run.children])
        run.metrics = {"auc": np.array([aucs.mean()]), "auc_std": np.array([aucs.std()])}
        yield run


def imaging(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Chest X-ray triage: networks over epochs; one diverged, one was stopped."""
    plans = (
        ("resnet18", 1e-3, 0.11),
        ("resnet50", 1e-3, 0.092),
        ("densenet121", 3e-4, 0.081),
        ("efficientnet-b0", 1e-3, 0.088),
        ("vit-small", 5e-4, 0.094),
    )
    for place, (name, rate, best) in enumerate(plans):
        params = {
            "backbone": name,
            "learning_rate": str(rate),
            "batch_size": "64",
            "image_size": "384",
            "augmentation": "flip,crop",
        }
        yield _network(rng, name, params, steps=200, best=best, hours_ago=150 - 18 * place, minutes=240)
    diverged = _network(
        rng,
        "resnet50-hot",
        {"backbone": "resnet50", "learning_rate": "0.1", "batch_size": "64"},
        steps=60,
        best=0.3,
        hours_ago=60,
    )
    diverged.metrics["train_loss"] = curves.diverging(rng, 60, start=0.7)
    diverged.status, diverged.tags["error"] = "FAILED", "FloatingPointError: loss is nan"
    yield diverged
    stopped = _network(
        rng, "vit-base-too-slow", {"backbone": "vit-base", "learning_rate": "0.0005"}, steps=35, best=0.12, hours_ago=40
    )
    stopped.status = "KILLED"
    yield stopped
    running = _network(
        rng,
        "densenet121-768px",
        {"backbone": "densenet121", "learning_rate": "0.0003", "image_size": "768"},
        steps=80,
        best=0.078,
        hours_ago=1.2,
    )
    running.status = "RUNNING"
    yield running


def bearings(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Hours until a bearing fails: windows of sensor values."""
    for place, window in enumerate((16, 32, 64, 128, 256)):
        for kind in ("lstm", "tcn"):
            best = 0.06 + 1.2 / window + (0.012 if kind == "lstm" else 0) + rng.uniform(0, 0.01)
            params = {"network": kind, "window": str(window), "sensors": "12", "optimizer": "adam"}
            run = _network(rng, f"{kind}-window-{window}", params, steps=150, best=best, hours_ago=110 - 9 * place)
            run.metrics["mae_hours"] = curves.falling(rng, 150, start=60, end=best * 90)
            yield run


def vibration(rng: np.random.Generator) -> Iterator[DemoRun]:
    """Alarms on line 3: thresholds tried by hand."""
    for place in range(8):
        threshold = 2.0 + 0.25 * place
        yield DemoRun(
            f"threshold-{threshold:.2f}",
            {"threshold": f"{threshold:.2f}", "band": "2-8 kHz", "line": "3"},
            {"false_alarms_per_week": np.array([40 * np.exp(-0.9 * place)]), "missed": np.array([0.1 * place**1.6])},
            tags={"shift": "night" if place % 2 else "day"},
            hours_ago=50 - 3 * place,
            minutes=0.6,
        )


def _scored(
    rng: np.random.Generator,
    name: str,
    params: dict[str, str],
    *,
    auc: float,
    hours_ago: float,
    tags: dict[str, str] | None = None,
) -> DemoRun:
    metrics = {
        "val_auc": curves.rising(rng, 40, end=float(auc), start=0.55),
        "train_loss": curves.falling(rng, 40, start=0.69, end=float(1 - auc) * 1.5),
        "ks": np.array([auc * 0.55 + rng.normal(0, 0.01)]),
        "gini": np.array([2 * auc - 1]),
    }
    return DemoRun(name, params, metrics, tags=dict(tags or {}), hours_ago=hours_ago, minutes=float(rng.uniform(2, 9)))


def _network(
    rng: np.random.Generator,
    name: str,
    params: dict[str, str],
    *,
    steps: int,
    best: float,
    hours_ago: float,
    minutes: float = 45,
) -> DemoRun:
    metrics = {
        "train_loss": curves.falling(rng, steps, start=0.7, end=best * 0.7),
        "val_loss": curves.overfitting(rng, steps, start=0.72, best=best),
        "val_accuracy": curves.rising(rng, steps, end=1 - best, start=0.5),
        "learning_rate": curves.cosine(steps, peak=float(params.get("learning_rate", 1e-3))),
    }
    return DemoRun(name, {**params, "epochs": str(steps)}, metrics, hours_ago=hours_ago, minutes=minutes)
