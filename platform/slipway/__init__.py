"""Composition: settings, URLs, gates and commands. Nothing here is a rule of the product; those live in `apps`."""
