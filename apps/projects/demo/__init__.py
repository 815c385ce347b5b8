"""Projects for a first look, with runs that ended in several ways, their logs, and schedules."""
