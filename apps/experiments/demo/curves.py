"""Metric histories that look like training: falling losses, saturating scores, noise, and runs that diverge."""

from __future__ import annotations

from typing import Any

import numpy as np

Curve = np.ndarray[Any, np.dtype[np.float64]]


def falling(rng: np.random.Generator, steps: int, *, start: float, end: float, noise: float = 0.02) -> Curve:
    """A loss: quick at first, then slow."""
    at = np.arange(steps) / max(1, steps - 1)
    curve = end + (start - end) * np.exp(-5 * at)
    return np.maximum(1e-6, curve * (1 + rng.normal(0, noise, steps)))


def rising(rng: np.random.Generator, steps: int, *, end: float, start: float = 0.5, noise: float = 0.004) -> Curve:
    """A score between 0 and 1 that saturates."""
    at = np.arange(steps) / max(1, steps - 1)
    curve = end - (end - start) * np.exp(-4.5 * at)
    return np.clip(curve + rng.normal(0, noise, steps), 0, 0.9999)


def overfitting(rng: np.random.Generator, steps: int, *, start: float, best: float) -> Curve:
    """A validation loss that turns up after two thirds."""
    at = np.arange(steps) / max(1, steps - 1)
    curve = best + (start - best) * np.exp(-6 * at) + 0.35 * best * np.maximum(0, at - 0.6) ** 1.5 * 4
    return np.maximum(1e-6, curve * (1 + rng.normal(0, 0.02, steps)))


def diverging(rng: np.random.Generator, steps: int, *, start: float) -> Curve:
    """A loss with too high a learning rate: it ends as not a number."""
    curve = start * np.exp(np.linspace(0, 4, steps)) * (1 + rng.normal(0, 0.05, steps))
    curve[-max(1, steps // 10) :] = np.nan
    return curve


def cosine(steps: int, *, peak: float) -> Curve:
    """A learning rate that falls like half a cosine."""
    return peak * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / max(1, steps - 1))) + 1e-7
