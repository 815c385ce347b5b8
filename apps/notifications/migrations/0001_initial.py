import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=63)),
                ('description', models.TextField(blank=True)),
                ('url', models.CharField(blank=True, max_length=2048)),
                ('job', models.CharField(blank=True, max_length=64)),
                ('job_entry_point', models.CharField(blank=True, max_length=250)),
                ('dialect', models.CharField(max_length=16)),
                ('events', models.JSONField(default=list)),
                ('status', models.CharField(choices=[('ACTIVE', 'active'), ('DISABLED', 'disabled'), ('TEST_MODE', 'test mode')], default='ACTIVE', max_length=16)),
                ('kind', models.CharField(blank=True, choices=[('experiment', 'experiment'), ('registered_model', 'registered model'), ('project', 'project'), ('deployment', 'deployment')], max_length=32)),
                ('object_id', models.BigIntegerField(blank=True, null=True)),
                ('sealed_secret', models.TextField(blank=True, editable=False)),
                ('sealed_authorization', models.TextField(blank=True, editable=False)),
                ('verify_tls', models.BooleanField(default=True)),
                ('failures', models.PositiveIntegerField(default=0, editable=False)),
                ('rests_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.team')),
            ],
            options={
                'ordering': ('-pk',),
                'indexes': [models.Index(fields=['kind', 'object_id'], name='webhook_object')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('event', models.CharField(max_length=64)),
                ('payload', models.TextField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('delivered', 'delivered'), ('failed', 'failed')], default='pending', max_length=16)),
                ('is_test', models.BooleanField(default=False)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('answer', models.TextField(blank=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('webhook', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.webhook')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ('-pk',),
                'indexes': [models.Index(models.F('webhook'), models.OrderBy(models.F('id'), descending=True), name='delivery_of_webhook'), models.Index(condition=models.Q(('state', 'pending')), fields=['next_at'], name='delivery_due'), models.Index(condition=models.Q(('state', 'pending')), fields=['webhook', 'claimed_until'], name='delivery_held'), models.Index(fields=['finished_at'], name='delivery_age')],
            },
        ),
        migrations.CreateModel(
            name='MailOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=255)),
                ('body', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-pk',),
                'indexes': [models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['next_at'], name='mail_due'), models.Index(fields=['finished_at'], name='mail_age')],
            },
        ),
        migrations.CreateModel(
            name='MailPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('timing', models.CharField(choices=[('at_once', 'at once'), ('daily', 'once a day'), ('none', 'never')], default='at_once', max_length=8)),
                ('digest_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mail_preference', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('timing', 'daily')), fields=['digest_at'], name='mail_digest_due')],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('experiment', 'experiment'), ('registered_model', 'registered model'), ('project', 'project'), ('deployment', 'deployment')], max_length=32)),
                ('object_id', models.BigIntegerField()),
                ('object_name', models.CharField(max_length=512)),
                ('actor_name', models.CharField(max_length=150)),
                ('text', models.TextField()),
                ('url', models.CharField(blank=True, max_length=1024)),
                ('group', models.CharField(blank=True, max_length=128)),
                ('is_mention', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.team')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-pk',),
                'indexes': [models.Index(models.F('user'), models.OrderBy(models.F('id'), descending=True), name='notification_inbox'), models.Index(models.F('user'), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('done_at__isnull', True), ('read_at__isnull', True)), name='notification_unread'), models.Index(condition=models.Q(('done_at__isnull', True)), fields=['group'], name='notification_open_group'), models.Index(fields=['kind', 'object_id'], name='notification_object'), models.Index(fields=['created_at'], name='notification_age')],
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('experiment', 'experiment'), ('registered_model', 'registered model'), ('project', 'project'), ('deployment', 'deployment')], max_length=32)),
                ('object_id', models.BigIntegerField()),
                ('choice', models.CharField(choices=[('all', 'everything'), ('default', 'what concerns me'), ('none', 'nothing but mentions')], max_length=8)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'object_id', 'user'), name='subscription_once')],
            },
        ),
        migrations.CreateModel(
            name='TopicPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=64)),
                ('choice', models.CharField(choices=[('all', 'everything'), ('default', 'what concerns me'), ('none', 'nothing but mentions')], max_length=8)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('choice', 'all')), fields=['topic'], name='topic_preference_all')],
                'constraints': [models.UniqueConstraint(fields=('user', 'topic'), name='topic_preference_once')],
            },
        ),
    ]
