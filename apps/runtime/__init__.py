"""What runs strangers' programs: kept apart from this host, held to limits, in the environment that they need.

It knows no tables and no other app than `apps.core`. `base.py` says what each backend has to be, one folder each.
"""
