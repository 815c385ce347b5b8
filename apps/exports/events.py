from apps.audit.codes import declare

TEAM_EXPORTED = declare("team.exported", "began to export what the team {object} has to {note}")
EXPORT_ENDED = declare("team.export_ended", "ended the export of what the team {object} has to {note}")
