from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "apps.projects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.projects import evidence, jobs, sharing
        from apps.projects.builds import evidence as builds

        sharing.register()
        evidence.register()
        jobs.register()
        builds.register()
