import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('projects', '0001_initial'),
        ('registry', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServingEpoch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='ServingHost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True)),
                ('pid', models.PositiveIntegerField(default=0)),
                ('version', models.CharField(blank=True, max_length=50)),
                ('targets', models.JSONField(default=list)),
                ('abilities', models.JSONField(default=dict)),
                ('seen_ms', models.BigIntegerField()),
                ('started_ms', models.BigIntegerField()),
                ('stopped_ms', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ServingLease',
            fields=[
                ('name', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=250)),
                ('until_ms', models.BigIntegerField(default=0)),
                ('fence', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=63)),
                ('description', models.TextField(blank=True, max_length=10000)),
                ('is_stopped', models.BooleanField(default=False)),
                ('follows', models.CharField(choices=[('fixed', 'a version that people choose'), ('stage', 'whatever is in a stage'), ('alias', 'whatever an alias points at')], default='fixed', max_length=8)),
                ('followed', models.CharField(blank=True, max_length=255)),
                ('follow_mode', models.CharField(choices=[('propose', 'propose the change'), ('apply', 'make the change')], default='propose', max_length=8)),
                ('stages', models.JSONField(default=list)),
                ('config', models.JSONField(default=dict)),
                ('port', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('port_host', models.CharField(default='127.0.0.1', max_length=64)),
                ('port_open', models.BooleanField(default=False)),
                ('port_error', models.CharField(blank=True, max_length=500)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('dismissed', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='registry.modelversion')),
                ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deployments', to='registry.registeredmodel')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='registry.modelversion')),
                ('team', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='accounts.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-updated_ms'], name='deployment_recent')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='deployment_name_once')],
            },
        ),
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('model_name', models.CharField(max_length=255)),
                ('version_number', models.PositiveIntegerField()),
                ('config', models.JSONField(default=dict)),
                ('instances_wanted', models.PositiveIntegerField(default=1)),
                ('rests_ms', models.BigIntegerField(null=True)),
                ('state', models.CharField(choices=[('pending', 'pending'), ('building', 'building'), ('starting', 'starting'), ('ready', 'ready'), ('failed', 'failed'), ('stopped', 'stopped')], default='pending', max_length=8)),
                ('message', models.TextField(blank=True)),
                ('is_canary', models.BooleanField(default=False)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('owner_name', models.CharField(blank=True, max_length=150)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('created_ms', models.BigIntegerField()),
                ('ready_ms', models.BigIntegerField(null=True)),
                ('served_ms', models.BigIntegerField(null=True)),
                ('state_ms', models.BigIntegerField()),
                ('build', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='projects.projectrun')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='serving_revisions', to='registry.modelversion')),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='deployments.deployment')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('deployment', 'number'), name='revision_once')],
            },
        ),
        migrations.CreateModel(
            name='Instance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slot', models.PositiveSmallIntegerField(default=0)),
                ('host', models.CharField(max_length=200)),
                ('target', models.CharField(max_length=16)),
                ('state', models.CharField(choices=[('starting', 'starting'), ('ready', 'ready'), ('unhealthy', 'unhealthy'), ('draining', 'draining'), ('ended', 'ended')], default='starting', max_length=9)),
                ('address', models.CharField(blank=True, max_length=500)),
                ('handle', models.JSONField(default=dict)),
                ('key', models.CharField(blank=True, max_length=64)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('isolation', models.CharField(blank=True, max_length=32)),
                ('unenforced', models.JSONField(default=list)),
                ('memory_bytes', models.BigIntegerField(null=True)),
                ('message', models.TextField(blank=True)),
                ('exit_code', models.IntegerField(null=True)),
                ('log_wanted_ms', models.BigIntegerField(default=0)),
                ('started_ms', models.BigIntegerField()),
                ('ready_ms', models.BigIntegerField(null=True)),
                ('drain_ms', models.BigIntegerField(null=True)),
                ('ended_ms', models.BigIntegerField(null=True)),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='instances', to='deployments.revision')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('ended_ms__isnull', True)), fields=['host'], name='instance_alive'), models.Index(fields=['revision', '-started_ms'], name='instance_of_revision')],
            },
        ),
        migrations.CreateModel(
            name='InstanceLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.BigIntegerField()),
                ('end', models.BigIntegerField()),
                ('text', models.TextField()),
                ('instance', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='log', to='deployments.instance')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('instance', 'start'), name='instance_log_once')],
            },
        ),
        migrations.CreateModel(
            name='TrafficMinute',
            fields=[
                ('pk', models.CompositePrimaryKey('revision_id', 'minute', blank=True, editable=False, primary_key=True, serialize=False)),
                ('minute', models.BigIntegerField()),
                ('requests', models.BigIntegerField(default=0)),
                ('client_errors', models.BigIntegerField(default=0)),
                ('server_errors', models.BigIntegerField(default=0)),
                ('unreached', models.BigIntegerField(default=0)),
                ('total_ms', models.FloatField(default=0)),
                ('b0', models.BigIntegerField(default=0)),
                ('b1', models.BigIntegerField(default=0)),
                ('b2', models.BigIntegerField(default=0)),
                ('b3', models.BigIntegerField(default=0)),
                ('b4', models.BigIntegerField(default=0)),
                ('b5', models.BigIntegerField(default=0)),
                ('b6', models.BigIntegerField(default=0)),
                ('b7', models.BigIntegerField(default=0)),
                ('b8', models.BigIntegerField(default=0)),
                ('b9', models.BigIntegerField(default=0)),
                ('b10', models.BigIntegerField(default=0)),
                ('b11', models.BigIntegerField(default=0)),
                ('b12', models.BigIntegerField(default=0)),
                ('b13', models.BigIntegerField(default=0)),
                ('b14', models.BigIntegerField(default=0)),
                ('b15', models.BigIntegerField(default=0)),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='traffic', to='deployments.revision')),
            ],
        ),
        migrations.CreateModel(
            name='Route',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weight', models.PositiveSmallIntegerField()),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='deployments.deployment')),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='deployments.revision')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('deployment', 'revision'), name='route_once'), models.CheckConstraint(condition=models.Q(('weight__lte', 100)), name='route_weight_percent')],
            },
        ),
        migrations.AddField(
            model_name='deployment',
            name='wanted',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deployments.revision'),
        ),
    ]
