from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.deployments.web.views import changing, creating, detail, export, listing, logs, settings

app_name = "deployments"
_ONE = "deployments/<slug:name>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("deployments/", listing.deployment_list, name="deployments"),
    # Names that no deployment may have (`apps.deployments.names.RESERVED`).
    path("deployments/new/", creating.deployment_new, name="deployment_new"),
    path("deployments/new/checks/", creating.checks, name="deployment_checks"),
    path("deployments/hosts/", listing.host_list, name="hosts"),
    path("deployments/export/", export.export, name="export"),
    path("deployments/export/bundle/", export.bundle, name="bundle"),
    path("deployments/of/team/", listing.on_home, name="on_home"),
    path("deployments/of/<int:version_id>/", listing.of_version, name="of_version"),
    path(_ONE, detail.overview, name="deployment"),
    path(_ONE + "news/", detail.news, name="news"),
    path(_ONE + "traffic/", detail.traffic, name="traffic"),
    path(_ONE + "revisions/", detail.revisions, name="revisions"),
    path(_ONE + "instances/", detail.instances, name="instances"),
    path(_ONE + "logs/", logs.deployment_logs, name="logs"),
    path(_ONE + "logs/<int:instance>/", logs.instance_log, name="instance_log"),
    path(_ONE + "activity/", detail.activity, name="activity"),
    path(_ONE + "settings/", settings.deployment_settings, name="settings"),
    path(_ONE + "deploy/", changing.deploy, name="deploy"),
    path(_ONE + "roll-back/", changing.roll_back, name="roll_back"),
    path(_ONE + "retry/<int:number>/", changing.retry, name="retry"),
    path(_ONE + "shift/", changing.shift, name="shift"),
    path(_ONE + "promote/<int:number>/", changing.promote, name="promote"),
    path(_ONE + "end-canary/<int:number>/", changing.end_canary, name="end_canary"),
    path(_ONE + "accept/", changing.accept, name="accept"),
    path(_ONE + "dismiss/", changing.dismiss, name="dismiss"),
    path(_ONE + "scale/", changing.scale, name="scale"),
    path(_ONE + "stop/", changing.stop, name="stop"),
    path(_ONE + "start/", changing.start, name="start"),
    path(_ONE + "delete/", changing.delete, name="delete"),
]
