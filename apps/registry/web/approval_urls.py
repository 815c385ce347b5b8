"""Pages about promotion: requests, moves, policies, history; part of this app's `web/urls.py`."""

from __future__ import annotations

from django.urls import path

from apps.registry.web.views import approvals, groups, history, moves, overrides, policies

_MODEL = "models/<slug:team>/<str:name>/"

urlpatterns = [
    path("approvals/", approvals.approval_list, name="approvals"),
    path("approvals/count/", approvals.approval_count, name="approval_count"),
    path("approvals/<int:request_id>/", approvals.request_detail, name="request"),
    path("approvals/<int:request_id>/approve/", approvals.request_approve, name="request_approve"),
    path("approvals/<int:request_id>/reject/", approvals.request_reject, name="request_reject"),
    path("approvals/<int:request_id>/cancel/", approvals.request_cancel, name="request_cancel"),
    path(_MODEL + "versions/<int:number>/ask/", moves.ask, name="ask"),
    path(_MODEL + "versions/<int:number>/move/", moves.move, name="move"),
    path(_MODEL + "history/", history.history, name="history"),
    path(_MODEL + "roll-back/", history.roll_back, name="roll_back"),
    path(_MODEL + "policies/", policies.model_policies, name="model_policies"),
    path("settings/policies/", policies.policy_list, name="policies"),
    path("settings/policies/new/", policies.policy_new, name="policy_new"),
    path("settings/policies/<int:policy_id>/", policies.policy_change, name="policy"),
    path("settings/policies/<int:policy_id>/delete/", policies.policy_delete, name="policy_delete"),
    path("settings/approvers/", groups.group_list, name="groups"),
    path("settings/approvers/new/", groups.group_new, name="group_new"),
    path("settings/approvers/<int:group_id>/", groups.group_change, name="group"),
    path("settings/approvers/<int:group_id>/delete/", groups.group_delete, name="group_delete"),
    path("settings/overrides/", overrides.override_list, name="overrides"),
    path("settings/overrides/<int:override_id>/review/", overrides.override_review, name="override_review"),
    path(_MODEL + "aliases/set/", moves.set_alias, name="set_alias"),
    path(_MODEL + "aliases/<str:alias>/delete/", moves.delete_alias, name="delete_alias"),
]
