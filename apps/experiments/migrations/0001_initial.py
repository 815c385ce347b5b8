import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


TABLES = ("experiments_param", "experiments_runtag")


def describe(apps, schema_editor):
    """Let PostgreSQL know which values stand under which key; without it, it takes `kernel = 'linear'` to be rare."""
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"CREATE STATISTICS {table}_pairs (mcv) ON key, (LEFT(value, 128)) FROM {table}")


def forget(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"DROP STATISTICS {table}_pairs")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DoomedFolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uri', models.CharField(max_length=2200, unique=True)),
                ('created_ms', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Experiment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=500)),
                ('artifact_location', models.CharField(blank=True, max_length=2000)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('deleted_ms', models.BigIntegerField(null=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='experiments', to='accounts.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-updated_ms'], name='experiment_recent')],
                'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='experiment_name_in_team')],
            },
        ),
        migrations.CreateModel(
            name='StorageUsage',
            fields=[
                ('experiment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='usage', serialize=False, to='experiments.experiment')),
                ('files', models.BigIntegerField(default=0)),
                ('bytes', models.BigIntegerField(default=0)),
                ('counted_ms', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=500)),
                ('digest', models.CharField(max_length=36)),
                ('source_type', models.CharField(max_length=36)),
                ('source', models.TextField()),
                ('schema', models.TextField(null=True)),
                ('profile', models.TextField(null=True)),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='datasets', to='experiments.experiment')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('experiment', 'name', 'digest'), name='dataset_once_in_experiment')],
            },
        ),
        migrations.CreateModel(
            name='ExperimentTag',
            fields=[
                ('pk', models.CompositePrimaryKey('experiment_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='experiments.experiment')),
            ],
        ),
        migrations.CreateModel(
            name='LoggedModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_id', models.CharField(max_length=36, unique=True)),
                ('name', models.CharField(max_length=500)),
                ('status', models.CharField(choices=[('LOGGED_MODEL_STATUS_UNSPECIFIED', 'Unspecified'), ('LOGGED_MODEL_PENDING', 'Pending'), ('LOGGED_MODEL_READY', 'Ready'), ('LOGGED_MODEL_UPLOAD_FAILED', 'Upload Failed')], default='LOGGED_MODEL_PENDING', max_length=32)),
                ('status_message', models.CharField(blank=True, max_length=1000)),
                ('model_type', models.CharField(blank=True, max_length=500)),
                ('source_run_id', models.CharField(blank=True, db_index=True, max_length=36)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('deleted_ms', models.BigIntegerField(null=True)),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='logged_models', to='experiments.experiment')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(models.F('experiment'), models.OrderBy(models.F('created_ms'), descending=True), models.F('id'), name='logged_model_recent')],
            },
        ),
        migrations.CreateModel(
            name='LoggedModelParam',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='params', to='experiments.loggedmodel')),
            ],
        ),
        migrations.CreateModel(
            name='LoggedModelTag',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='experiments.loggedmodel')),
            ],
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.CharField(max_length=36, unique=True)),
                ('name', models.CharField(blank=True, max_length=250)),
                ('status', models.CharField(choices=[('RUNNING', 'Running'), ('SCHEDULED', 'Scheduled'), ('FINISHED', 'Finished'), ('FAILED', 'Failed'), ('KILLED', 'Killed')], default='RUNNING', max_length=16)),
                ('start_ms', models.BigIntegerField(null=True)),
                ('end_ms', models.BigIntegerField(null=True)),
                ('deleted_ms', models.BigIntegerField(null=True)),
                ('user_name', models.CharField(blank=True, max_length=256)),
                ('parent_run_id', models.CharField(blank=True, db_index=True, max_length=36)),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='experiments.experiment')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(models.F('experiment'), models.OrderBy(models.F('start_ms'), descending=True), models.F('id'), name='run_recent'), models.Index(fields=['experiment', 'status'], name='run_by_status'), models.Index(condition=models.Q(('deleted_ms__isnull', False)), fields=['deleted_ms'], name='run_trash')],
            },
        ),
        migrations.CreateModel(
            name='Param',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='params', to='experiments.run')),
            ],
            options={
                'indexes': [models.Index(models.F('key'), django.db.models.functions.text.Left('value', 128), models.F('run'), name='param_by_value')],
            },
        ),
        migrations.CreateModel(
            name='ModelLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direction', models.CharField(choices=[('input', 'Input'), ('output', 'Output')], max_length=8)),
                ('step', models.BigIntegerField(default=0)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='model_links', to='experiments.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'direction', 'model'), name='model_link_once')],
            },
        ),
        migrations.CreateModel(
            name='LoggedModelMetric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250)),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField(default=False)),
                ('step', models.BigIntegerField(default=0)),
                ('timestamp', models.BigIntegerField()),
                ('dataset_name', models.CharField(blank=True, max_length=500)),
                ('dataset_digest', models.CharField(blank=True, max_length=36)),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='metrics', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='model_metrics', to='experiments.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('model', 'key', 'timestamp', 'step', 'run'), name='model_metric_once')],
            },
        ),
        migrations.CreateModel(
            name='DatasetInput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tags', models.JSONField(default=list)),
                ('context', models.CharField(blank=True, max_length=500)),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='experiments.dataset')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='dataset_inputs', to='experiments.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'dataset'), name='dataset_input_once')],
            },
        ),
        migrations.CreateModel(
            name='RunCreation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('created_ms', models.BigIntegerField()),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='experiments.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'key'), name='run_creation_once')],
            },
        ),
        migrations.CreateModel(
            name='RunTag',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='experiments.run')),
            ],
            options={
                'indexes': [models.Index(models.F('key'), django.db.models.functions.text.Left('value', 128), models.F('run'), name='run_tag_by_value')],
            },
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250)),
                ('last_value', models.FloatField()),
                ('last_is_nan', models.BooleanField(default=False)),
                ('last_step', models.BigIntegerField()),
                ('last_timestamp', models.BigIntegerField()),
                ('min_value', models.FloatField(null=True)),
                ('max_value', models.FloatField(null=True)),
                ('count', models.BigIntegerField(default=0)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='series', to='experiments.run')),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'last_value', 'run'], name='series_by_value')],
                'constraints': [models.UniqueConstraint(fields=('run', 'key'), name='series_of_run')],
            },
        ),
        migrations.CreateModel(
            name='Point',
            fields=[
                ('pk', models.CompositePrimaryKey('series_id', 'step', 'timestamp', 'value', 'is_nan', blank=True, editable=False, primary_key=True, serialize=False)),
                ('step', models.BigIntegerField()),
                ('timestamp', models.BigIntegerField()),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField(default=False)),
                ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='points', to='experiments.series')),
            ],
        ),
        migrations.RunPython(describe, forget),
    ]
