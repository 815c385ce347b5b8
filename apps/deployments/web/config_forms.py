"""The form of a configuration. A field is named as it is in `Config`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.pairs import PairsField
from apps.deployments.configuration import Config, ScoringServer, TargetKind
from apps.deployments.names import MAX_REASON

KEPT_REASON = _("It is kept with the revision and in the audit log.")
ADVANCED = (
    "timeout_s",
    "concurrency",
    "max_body_mb",
    "keep_warm_s",
    "calls_per_minute",
    "sticky_header",
)
TARGETS = [
    (TargetKind.PROCESS.value, _("Process on this installation's machines")),
    (TargetKind.DOCKER.value, _("Docker container")),
    (TargetKind.KUBERNETES.value, _("Kubernetes")),
]
SERVERS = [
    (ScoringServer.SLIPWAY.value, _("Slipway's: fast, batches calls, speaks MLflow's and Open Inference's protocol")),
    (ScoringServer.MLFLOW.value, _("MLflow's own, as mlflow models serve starts it")),
]


class ConfigForm(forms.Form):
    """How a revision is run."""

    target = forms.ChoiceField(label=_("Where it runs"), choices=TARGETS, widget=forms.RadioSelect)
    server = forms.ChoiceField(label=_("Scoring server"), choices=SERVERS, widget=forms.RadioSelect)
    memory_mb = forms.IntegerField(
        label=_("Memory limit, MB"), min_value=64, required=False, help_text=_("Of each instance.")
    )
    cpus = forms.FloatField(
        label=_("CPUs"), min_value=0.01, max_value=1024, required=False, help_text=_("Of each instance.")
    )
    instances = forms.IntegerField(label=_("Instances"), min_value=1, max_value=64)
    workers = forms.IntegerField(
        label=_("Workers"), min_value=1, max_value=64, help_text=_("Processes in each instance.")
    )
    env_vars = PairsField(
        label=_("Environment variables"), help_text=_("Everybody who sees the deployment sees them: no keys here.")
    )
    network = forms.BooleanField(
        label=_("It may reach the network"),
        required=False,
        help_text=_("Most models need none; one that fetches features does."),
    )
    timeout_s = forms.IntegerField(
        label=_("Longest answer, seconds"), min_value=1, max_value=3600, help_text=_("After that the caller gets 504.")
    )
    concurrency = forms.IntegerField(
        label=_("Calls at once"), min_value=1, max_value=10_000, help_text=_("By each worker; more get 429.")
    )
    max_body_mb = forms.IntegerField(
        label=_("Largest body, MB"), min_value=1, max_value=4096, help_text=_("A larger one gets 413.")
    )
    keep_warm_s = forms.IntegerField(
        label=_("Kept warm, seconds"),
        min_value=0,
        max_value=86_400,
        help_text=_(
            "How long a revision goes on running after its traffic went elsewhere, so that a rollback takes no time."
        ),
    )
    calls_per_minute = forms.IntegerField(
        label=_("Calls a minute, each token"),
        min_value=1,
        required=False,
        help_text=_("Empty: as many as it can take."),
    )
    sticky_header = forms.CharField(
        label=_("Header that keeps a caller at one revision"),
        max_length=64,
        required=False,
        help_text=_("While traffic is split: callers that send the same value meet the same revision."),
        widget=forms.TextInput({"class": "input-mono", "placeholder": "X-Customer", "autocomplete": "off"}),
    )
    batching = forms.BooleanField(
        label=_("Put calls that come together into one prediction"),
        required=False,
        help_text=_("Faster for most models; off where rows of one body influence each other."),
    )

    def __init__(self, *args: Any, config: Config | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = initial_of(config or Config()) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    @property
    def advanced_fields(self) -> list[forms.BoundField]:
        """What is folded away."""
        return [self[name] for name in ADVANCED]

    @property
    def is_advanced_wrong(self) -> bool:
        """Whether something that is folded away was refused, so that it is shown."""
        return any(name in self.errors for name in (*ADVANCED, "batching"))

    def config(self) -> Config:
        """What was said. Raises `InvalidInput` that names the field."""
        names = [name for name in Config.__struct_fields__ if name in self.fields]
        return Config.from_json({name: self.cleaned_data[name] for name in names})


class NewConfigForm(ConfigForm):
    """Another configuration, which makes a revision of the version that is wanted."""

    reason = forms.CharField(label=_("Reason"), max_length=MAX_REASON, required=False, help_text=KEPT_REASON)


def initial_of(config: Config) -> dict[str, Any]:
    """A configuration as forms begin with it."""
    return {name: getattr(config, name) for name in Config.__struct_fields__} | {
        "target": config.target.value,
        "server": config.server.value,
    }
