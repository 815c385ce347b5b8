from apps.audit.codes import declare

USER_CREATED = declare("user.created", "created the user {object}")
USER_CHANGED = declare("user.changed", "changed the profile of {object}")
USER_DISABLED = declare("user.disabled", "disabled the user {object}")
USER_ENABLED = declare("user.enabled", "enabled the user {object}")
USER_DELETED = declare("user.deleted", "deleted the user {object}")
PASSWORD_CHANGED = declare("user.password_changed", "changed the password of {object}")
ADMIN_CHANGED = declare("user.admin_changed", "changed whether {object} administers the site")

ADMIN_KEPT = declare("user.admin_kept", "left {object}, the last administrator, an administrator: {note}")
IDENTITY_LINKED = declare("user.identity_linked", "linked {object} to an account of {note}")

SIGNED_IN = declare("user.signed_in", "signed in")
SIGNED_OUT = declare("user.signed_out", "signed out")
SIGN_IN_FAILED = declare("user.sign_in_failed", "failed to sign in as {object}")
SIGN_IN_LOCKED = declare("user.sign_in_locked", "failed too often and can't try for a while: {note}")
SIGN_IN_REFUSED = declare("user.sign_in_refused", "refused to sign {object} in: {note}")
SIGN_IN_LINK_MADE = declare("user.sign_in_link_made", "made a link that signs {object} in")
SESSION_ENDED = declare("user.session_ended", "ended a session of {object}")

TEAM_CREATED = declare("team.created", "created the team {object}")
TEAM_DESCRIBED = declare("team.described", "changed the description of the team {object}")
TEAM_DELETED = declare("team.deleted", "deleted the team {object}")
MEMBER_ADDED = declare("team.member_added", "added {object} to {team}")
MEMBER_CHANGED = declare("team.member_changed", "changed the role of {object} in {team}")
MEMBER_REMOVED = declare("team.member_removed", "removed {object} from {team}")

GRANT_GIVEN = declare("grant.given", "shared {object}: {note}")
GRANT_CHANGED = declare("grant.changed", "changed how {object} is shared: {note}")
GRANT_REVOKED = declare("grant.revoked", "stopped sharing {object}: {note}")

TOKEN_CREATED = declare("token.created", "created the token {object}")
TOKEN_ROTATED = declare("token.rotated", "rotated the token {object}")
TOKEN_REVOKED = declare("token.revoked", "revoked the token {object}")
