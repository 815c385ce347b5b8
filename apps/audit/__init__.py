"""The append-only chain of events: who did what to what, when, and by which credentials."""
