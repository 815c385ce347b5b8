import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('experiments', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApproverGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('created_ms', models.BigIntegerField()),
                ('members', models.ManyToManyField(blank=True, related_name='approver_groups', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='approver_groups', to='accounts.team')),
            ],
            options={
                'ordering': ('name',),
                'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='approver_group_in_team'), models.UniqueConstraint(condition=models.Q(('team__isnull', True)), fields=('name',), name='approver_group_of_site')],
            },
        ),
        migrations.CreateModel(
            name='RegisteredModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=256)),
                ('description', models.TextField(blank=True)),
                ('is_prompt', models.BooleanField(default=False)),
                ('last_number', models.PositiveIntegerField(default=0)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='registered_models', to='accounts.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', 'is_prompt', '-updated_ms'], name='registered_model_recent'), models.Index(fields=['name'], name='registered_model_by_name')],
                'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='registered_model_name_in_team')],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('source', models.CharField(blank=True, max_length=2200)),
                ('folder', models.CharField(blank=True, max_length=2200)),
                ('run_id', models.CharField(blank=True, max_length=36)),
                ('run_link', models.CharField(blank=True, max_length=2000)),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('PENDING_REGISTRATION', 'Pending'), ('FAILED_REGISTRATION', 'Failed'), ('READY', 'Ready')], default='READY', max_length=32)),
                ('status_message', models.CharField(blank=True, max_length=1000)),
                ('stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], default='None', max_length=16)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('logged_model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='model_versions', to='experiments.loggedmodel')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='model_versions', to='experiments.run')),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='registry.registeredmodel')),
            ],
            options={
                'indexes': [models.Index(fields=['model', 'stage', '-number'], name='model_version_by_stage'), models.Index(condition=models.Q(('run_id', ''), _negated=True), fields=['run_id'], name='model_version_by_run'), models.Index(django.db.models.functions.text.Left('folder', 128), name='model_version_by_folder'), models.Index(django.db.models.functions.text.Left('source', 128), name='model_version_by_source'), models.Index(fields=['-updated_ms', 'id'], name='model_version_recent')],
                'constraints': [models.UniqueConstraint(fields=('model', 'number'), name='model_version_once')],
            },
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author_name', models.CharField(max_length=150)),
                ('text', models.TextField()),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='registry.modelversion')),
            ],
            options={
                'indexes': [models.Index(fields=['version', 'created_ms'], name='comment_by_version')],
            },
        ),
        migrations.CreateModel(
            name='Check',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('reporter_name', models.CharField(max_length=150)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('passed', 'Passed'), ('failed', 'Failed')], max_length=16)),
                ('text', models.CharField(blank=True, max_length=1000)),
                ('url', models.URLField(blank=True, max_length=2000)),
                ('created_ms', models.BigIntegerField()),
                ('updated_ms', models.BigIntegerField()),
                ('reporter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='registry.modelversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('version', 'name', 'reporter'), name='check_once')],
            },
        ),
        migrations.CreateModel(
            name='ModelVersionTag',
            fields=[
                ('pk', models.CompositePrimaryKey('version_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='registry.modelversion')),
            ],
            options={
                'indexes': [models.Index(models.F('key'), django.db.models.functions.text.Left('value', 128), models.F('version'), name='model_version_tag_by_value')],
            },
        ),
        migrations.CreateModel(
            name='PromotionRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('promotion', 'Promotion'), ('rollback', 'Rollback')], default='promotion', max_length=16)),
                ('slot_kind', models.CharField(choices=[('stage', 'stage'), ('alias', 'alias')], max_length=8)),
                ('slot_name', models.CharField(max_length=255)),
                ('from_stage', models.CharField(blank=True, max_length=16)),
                ('requester_name', models.CharField(max_length=150)),
                ('owners', models.JSONField(default=list)),
                ('comment', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('applied', 'Applied'), ('rejected', 'Rejected'), ('cancelled', 'Cancelled'), ('expired', 'Expired'), ('superseded', 'Superseded')], default='open', max_length=16)),
                ('round', models.PositiveIntegerField(default=1)),
                ('rules', models.JSONField(default=dict)),
                ('created_ms', models.BigIntegerField()),
                ('expires_ms', models.BigIntegerField(null=True)),
                ('closed_ms', models.BigIntegerField(null=True)),
                ('closed_by', models.CharField(blank=True, max_length=150)),
                ('closing_note', models.TextField(blank=True)),
                ('stale_ms', models.BigIntegerField(null=True)),
                ('requester', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='registry.modelversion')),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-created_ms'], name='request_by_state'), models.Index(fields=['requester', '-created_ms'], name='request_by_requester'), models.Index(condition=models.Q(('state', 'open')), fields=['expires_ms'], name='request_that_expires'), models.Index(condition=models.Q(('stale_ms__isnull', False)), fields=['stale_ms'], name='request_with_stale_gates')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('version', 'slot_kind', 'slot_name', 'requester'), name='open_request_once')],
            },
        ),
        migrations.CreateModel(
            name='GateResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveIntegerField()),
                ('place', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(max_length=32)),
                ('params', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('passed', 'Passed'), ('failed', 'Failed')], default='pending', max_length=16)),
                ('text', models.CharField(blank=True, max_length=1000)),
                ('evidence', models.JSONField(default=dict)),
                ('evaluated_ms', models.BigIntegerField(null=True)),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='gates', to='registry.promotionrequest')),
            ],
            options={
                'ordering': ('place',),
                'constraints': [models.UniqueConstraint(fields=('request', 'round', 'place'), name='gate_result_once')],
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveIntegerField()),
                ('user_name', models.CharField(max_length=150)),
                ('approves', models.BooleanField()),
                ('comment', models.TextField(blank=True)),
                ('created_ms', models.BigIntegerField()),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='registry.promotionrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'round', 'user'), name='decision_once')],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slot_kind', models.CharField(choices=[('stage', 'stage'), ('alias', 'alias')], max_length=8)),
                ('slot_name', models.CharField(max_length=255)),
                ('approvals', models.PositiveSmallIntegerField(default=1)),
                ('approver_role', models.CharField(blank=True, default='maintainer', max_length=16)),
                ('allows_self_approval', models.BooleanField(default=False)),
                ('ask_level', models.PositiveSmallIntegerField(default=20)),
                ('override_by', models.CharField(blank=True, choices=[('', 'nobody'), ('maintainer', 'maintainers'), ('admin', 'admins of the team'), ('site', 'administrators of the site')], default='', max_length=16)),
                ('rollback_by', models.CharField(blank=True, choices=[('', 'nobody'), ('maintainer', 'maintainers'), ('admin', 'admins of the team'), ('site', 'administrators of the site')], default='admin', max_length=16)),
                ('gates', models.JSONField(default=list)),
                ('archives_previous', models.BooleanField(default=True)),
                ('timeout_hours', models.PositiveIntegerField(blank=True, null=True)),
                ('is_final', models.BooleanField(default=False)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('changed_by', models.CharField(blank=True, max_length=150)),
                ('changed_ms', models.BigIntegerField()),
                ('approver_group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.approvergroup')),
                ('approver_team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.team')),
                ('team', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='accounts.team')),
                ('model', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='registry.registeredmodel')),
            ],
            options={
                'verbose_name_plural': 'policies',
                'constraints': [models.CheckConstraint(condition=models.Q(('team__isnull', True), ('model__isnull', True), _connector='OR'), name='policy_of_a_team_or_a_model'), models.UniqueConstraint(condition=models.Q(('model__isnull', True), ('team__isnull', True)), fields=('slot_kind', 'slot_name'), name='policy_of_site_once'), models.UniqueConstraint(fields=('team', 'slot_kind', 'slot_name'), name='policy_of_team_once'), models.UniqueConstraint(fields=('model', 'slot_kind', 'slot_name'), name='policy_of_model_once')],
            },
        ),
        migrations.CreateModel(
            name='Placement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_name', models.CharField(max_length=256)),
                ('number', models.PositiveIntegerField()),
                ('slot_kind', models.CharField(choices=[('stage', 'stage'), ('alias', 'alias')], max_length=8)),
                ('slot_name', models.CharField(max_length=255)),
                ('from_ms', models.BigIntegerField()),
                ('until_ms', models.BigIntegerField(null=True)),
                ('entered_by', models.CharField(max_length=150)),
                ('entered_note', models.TextField(blank=True)),
                ('left_by', models.CharField(blank=True, max_length=150)),
                ('left_note', models.TextField(blank=True)),
                ('is_rollback', models.BooleanField(default=False)),
                ('is_override', models.BooleanField(default=False)),
                ('team', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.team')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='placements', to='registry.modelversion')),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='placements', to='registry.promotionrequest')),
                ('model', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='placements', to='registry.registeredmodel')),
            ],
            options={
                'indexes': [models.Index(fields=['model', 'slot_kind', 'slot_name', '-from_ms'], name='placement_by_slot'), models.Index(fields=['team', 'model_name', '-from_ms'], name='placement_by_name'), models.Index(condition=models.Q(('until_ms__isnull', True)), fields=['version'], name='placement_now')],
            },
        ),
        migrations.CreateModel(
            name='Override',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_name', models.CharField(max_length=256)),
                ('number', models.PositiveIntegerField()),
                ('slot_kind', models.CharField(choices=[('stage', 'stage'), ('alias', 'alias')], max_length=8)),
                ('slot_name', models.CharField(max_length=255)),
                ('text', models.CharField(max_length=1000)),
                ('reason', models.TextField()),
                ('made_by', models.CharField(max_length=150)),
                ('made_ms', models.BigIntegerField()),
                ('reviewed_by', models.CharField(blank=True, max_length=150)),
                ('reviewed_ms', models.BigIntegerField(null=True)),
                ('review', models.TextField(blank=True)),
                ('maker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.team')),
                ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='overrides', to='registry.registeredmodel')),
            ],
            options={
                'indexes': [models.Index(fields=['-made_ms'], name='override_recent')],
            },
        ),
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='registry.modelversion')),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='registry.registeredmodel')),
            ],
            options={
                'verbose_name_plural': 'aliases',
                'constraints': [models.UniqueConstraint(fields=('model', 'name'), name='alias_once')],
            },
        ),
        migrations.CreateModel(
            name='RegisteredModelTag',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='registry.registeredmodel')),
            ],
            options={
                'indexes': [models.Index(models.F('key'), django.db.models.functions.text.Left('value', 128), models.F('model'), name='registered_model_tag_by_value')],
            },
        ),
    ]
