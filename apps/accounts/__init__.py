"""People, service accounts, teams, roles, grants and tokens: who may do what."""
