from django.db import migrations, models
from django.db.models import Case, Value, When

_NOW = {1: 10, 2: 20, 3: 50}


def _renumber(apps, numbers):
    grants = apps.get_model("accounts", "Grant").objects.filter(level__in=list(numbers))
    cases = [When(level=before, then=Value(after)) for before, after in numbers.items()]
    grants.update(level=Case(*cases, output_field=models.PositiveSmallIntegerField()))


class Migration(migrations.Migration):
    """Room between the levels, for those that only registered models have."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="grant",
            name="level",
            field=models.PositiveSmallIntegerField(
                choices=[(10, "read"), (20, "edit"), (30, "staging"), (40, "production"), (50, "manage")]
            ),
        ),
        migrations.RunPython(
            lambda apps, _: _renumber(apps, _NOW),
            lambda apps, _: _renumber(apps, {after: before for before, after in _NOW.items()}),
        ),
    ]
