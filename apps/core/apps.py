from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "apps.core"

    def ready(self) -> None:
        """Load what apps declare: codes of audit events, gauges for Prometheus."""
        autodiscover_modules("events", "gauges")
