import django.core.serializers.json
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.BigIntegerField(unique=True)),
                ('digest', models.CharField(max_length=64)),
                ('sealed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('code', models.CharField(max_length=64)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor_name', models.CharField(max_length=150)),
                ('via', models.CharField(max_length=16)),
                ('token_id', models.BigIntegerField(null=True)),
                ('request_id', models.CharField(max_length=64)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('team_id', models.BigIntegerField(null=True)),
                ('team_name', models.CharField(blank=True, max_length=63)),
                ('object_kind', models.CharField(blank=True, max_length=32)),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('object_name', models.CharField(blank=True, max_length=512)),
                ('before', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ('after', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ('note', models.TextField(blank=True)),
                ('proof', models.CharField(editable=False, max_length=64, unique=True)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['object_kind', 'object_id', '-id'], name='event_by_object'), models.Index(fields=['team_id', '-id'], name='event_by_team'), models.Index(fields=['actor_id', '-id'], name='event_by_actor'), models.Index(fields=['code', '-id'], name='event_by_code')],
            },
        ),
    ]
