"""Kills parts of an installation at random while it runs projects: `uv run python -m tests.kills --seed 1 --rounds 60`.

Web, workers, broker, scheduler and database are processes of their own here, and so is what the workers started.
"""
