from apps.audit.codes import declare

USER_CREATED = declare("user.created", "created the user {object}")
TEAM_CREATED = declare("team.created", "created the team {object}")
MEMBER_ADDED = declare("team.member_added", "added {object}")
TOKEN_CREATED = declare("token.created", "created the token {object}")
TOKEN_REVOKED = declare("token.revoked", "revoked the token {object}")
