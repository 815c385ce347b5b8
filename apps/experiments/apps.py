from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "apps.experiments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.experiments import sharing

        sharing.register()
