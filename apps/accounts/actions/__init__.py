"""Every write about people, teams, rights, tokens and sessions."""

from apps.accounts.actions.grants import give_grant, revoke_grant, set_grants
from apps.accounts.actions.identities import admit_identity, link_identity
from apps.accounts.actions.run_tokens import create_run_token
from apps.accounts.actions.sessions import (
    end_other_sessions,
    end_session,
    make_sign_in_link,
    note_failed_sign_in,
    note_sign_in,
    note_sign_out,
    use_sign_in_link,
)
from apps.accounts.actions.teams import (
    add_member,
    create_team,
    delete_team,
    describe_team,
    remove_member,
    set_role,
)
from apps.accounts.actions.tokens import create_token, revoke_token, rotate_token
from apps.accounts.actions.users import (
    change_password,
    change_profile,
    create_user,
    delete_user,
    is_email_fixed,
    set_active,
    set_admin,
)

__all__ = [
    "add_member",
    "admit_identity",
    "change_password",
    "change_profile",
    "create_run_token",
    "create_team",
    "create_token",
    "create_user",
    "delete_team",
    "delete_user",
    "describe_team",
    "end_other_sessions",
    "end_session",
    "give_grant",
    "is_email_fixed",
    "link_identity",
    "make_sign_in_link",
    "note_failed_sign_in",
    "note_sign_in",
    "note_sign_out",
    "remove_member",
    "revoke_grant",
    "revoke_token",
    "rotate_token",
    "set_active",
    "set_admin",
    "set_grants",
    "set_role",
    "use_sign_in_link",
]
