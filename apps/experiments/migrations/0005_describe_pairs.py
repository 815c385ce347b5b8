"""Lets PostgreSQL know which values stand under which key; without it, it takes `kernel = 'linear'` to be rare."""

from django.db import migrations

TABLES = ("experiments_param", "experiments_runtag")


def describe(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"CREATE STATISTICS {table}_pairs (mcv) ON key, (LEFT(value, 128)) FROM {table}")


def forget(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"DROP STATISTICS {table}_pairs")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0004_count_files_and_note_doomed_folders")]
    operations = [migrations.RunPython(describe, forget)]
