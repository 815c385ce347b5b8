from django.apps import AppConfig


class SlipwayConfig(AppConfig):
    """Loads the Celery application in every process, so that whoever sends a task sends it to our broker."""

    name = "slipway"
    verbose_name = "Slipway"

    def ready(self) -> None:
        from slipway import celery  # noqa: F401
