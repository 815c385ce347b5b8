"""Pages about oneself, teams and people."""
