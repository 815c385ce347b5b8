"""Kills what serves models while they are called: `uv run python -m tests.serving_kills --seed 1 --rounds 60`.

Web, worker, supervisor, keepers and instances are killed; every answer is checked by a process that is not. Then models
are changed and rolled back under the same load, without one failed call.
"""
