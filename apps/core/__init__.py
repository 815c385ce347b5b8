"""What every app stands on: errors, actors, paths, pages of results and the protocol's envelope. No tables."""
