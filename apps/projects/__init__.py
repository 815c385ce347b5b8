"""Projects: a directory with an MLproject file, and what runs it."""
