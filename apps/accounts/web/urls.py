from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.accounts.web.views import people, profile, sharing, signing, teams, tokens

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/", profile.profile, name="profile"),
    path("settings/password/", profile.password, name="password"),
    path("settings/sessions/end-others/", profile.end_other_sessions, name="end_other_sessions"),
    path("settings/sessions/<int:session_id>/end/", profile.end_session, name="end_session"),
    path("settings/tokens/", tokens.tokens, name="tokens"),
    path("settings/tokens/new/", tokens.new_token, name="new_token"),
    path("settings/tokens/<int:token_id>/rotate/", tokens.rotate_token, name="rotate_token"),
    path("settings/tokens/<int:token_id>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("settings/teams/", teams.teams, name="teams"),
    # No team can be named like these: they are one word with an underscore.
    path("settings/teams/_new/", teams.new_team, name="new_team"),
    path("settings/teams/_switch/", signing.switch_team, name="switch_team"),
    path("settings/teams/<slug:name>/", teams.team, name="team"),
    path("settings/teams/<slug:name>/describe/", teams.describe_team, name="describe_team"),
    path("settings/teams/<slug:name>/delete/", teams.delete_team, name="delete_team"),
    path("settings/teams/<slug:name>/members/add/", teams.add_member, name="add_member"),
    path("settings/teams/<slug:name>/members/<str:username>/role/", teams.set_role, name="set_role"),
    path("settings/teams/<slug:name>/members/<str:username>/remove/", teams.remove_member, name="remove_member"),
    path("settings/teams/<slug:name>/services/new/", teams.new_service_account, name="new_service"),
    path(
        "settings/teams/<slug:name>/services/<str:username>/delete/",
        teams.delete_service_account,
        name="delete_service",
    ),
    path("settings/users/", people.people, name="people"),
    path("settings/users/new/", people.new_person, name="new_person"),
    path("settings/users/<str:username>/password/", people.set_password, name="set_password"),
    path("settings/users/<str:username>/active/", people.set_active, name="set_active"),
    path("settings/users/<str:username>/admin/", people.set_admin, name="set_admin"),
    path("settings/users/<str:username>/delete/", people.delete_person, name="delete_person"),
    path("share/<str:kind>/<path:reference>/give/", sharing.give_grant, name="give_grant"),
    path("share/<str:kind>/<path:reference>/revoke/", sharing.revoke_grant, name="revoke_grant"),
    path("share/<str:kind>/<path:reference>/", sharing.sharing, name="sharing"),
]
