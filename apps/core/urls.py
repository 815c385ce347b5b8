from django.urls import path

from apps.core import views

urlpatterns = [
    path("health", views.health, name="health"),
    path("health/ready", views.ready, name="ready"),
    path("version", views.version, name="version"),
    path("metrics", views.metrics, name="metrics"),
]
