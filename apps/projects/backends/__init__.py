"""Ways to have a command executed, one folder each. `base.py` says what each of them has to be."""
