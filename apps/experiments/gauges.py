from __future__ import annotations

from apps.core.monitoring import declare_gauge
from apps.experiments.models import Experiment, Run

declare_gauge("slipway_experiments", "Experiments outside of the trash.", lambda: Experiment.objects.active().count())
declare_gauge("slipway_runs", "Runs outside of the trash.", lambda: Run.objects.active().count())
