"""Backup and restore: one archive that holds the database and all files (docs/adr/0016).

It stands here and not in an app: it works below the models, where there may be no database yet, and over what all apps
keep.
"""
