from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="projectrun",
            index=models.Index(
                condition=models.Q(
                    ("ended_ms__isnull", False), ("log_bytes__gt", 0), ("log_stored", False), ("run__isnull", False)
                ),
                fields=["ended_ms"],
                name="project_run_log_due",
            ),
        ),
    ]
