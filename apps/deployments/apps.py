from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "apps.deployments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.deployments import sharing, standing

        sharing.register()
        standing.register()
