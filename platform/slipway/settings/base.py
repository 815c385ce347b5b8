"""Settings of every installation. What an operator may set is read from the environment here and nowhere else."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management.utils import get_random_secret_key

from slipway import env, env_oidc
from slipway.paths import ASSETS, DataFolder

SLIPWAY_VERSION = version("slipway")
# The release of MLflow whose protocol is spoken: below 3.4 until traces are taken, else clients export spans.
MLFLOW_PROTOCOL_VERSION = "3.3.2"

DATA = DataFolder.of_environment()
PUBLIC_URL = env.public_url("SLIPWAY_PUBLIC_URL")
# Where links in mails and chats lead: `slipway up` says where it serves.
LINK_URL = PUBLIC_URL or env.public_url("SLIPWAY_LINK_URL") or "http://localhost:5000"


def _make_data_folder() -> None:
    try:
        DATA.make()
    except OSError as error:
        raise env.WrongSetting(f"SLIPWAY_HOME: {DATA.root} can't be made ({error.strerror}).") from error


def _secret_key() -> str:
    """The operator's key, else one made at the first start and kept in the data folder."""
    given = env.text("SLIPWAY_SECRET_KEY")
    if given:
        if len(given) < 32:
            raise env.WrongSetting("SLIPWAY_SECRET_KEY: at least 32 characters are wanted.")
        return given
    file = DATA.secret_key
    if not file.exists():
        draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key())
        try:
            # A link, not a rename: the first of several processes that start at once wins.
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        draft.unlink()
    return file.read_text().strip()


# Where project runs reach this server from their workers.
TRACKING_URL = env.public_url("SLIPWAY_TRACKING_URL") or LINK_URL
# What `slipway worker` was told.
WORKER_QUEUES = env.words("SLIPWAY_WORKER_QUEUES")
WORKER_NAME = env.text("SLIPWAY_WORKER_NAME")
# Seconds that a run of a project may go on, whatever it asks for.
PROJECT_TIME_LIMIT = env.integer("SLIPWAY_PROJECT_TIME_LIMIT", 24 * 60 * 60, least=1)
WORKER_CONCURRENCY = env.integer("SLIPWAY_WORKER_CONCURRENCY", 2)
# How runs are kept apart: `sandboxed` refuses those for which the host has no sandbox, `process` uses none.
PROJECT_ISOLATION = env.one_of("SLIPWAY_ISOLATION", "auto", "sandboxed", "process") or "auto"
# Folders that sandboxed runs may read besides the system's own; devices, where nvidia-smi is not to be asked.
SANDBOX_READABLE = env.folders("SLIPWAY_SANDBOX_READABLE")
WORKER_GPUS = env.words("SLIPWAY_GPUS")
# A control group of version 2 below which groups for runs can be made; empty: the worker's own.
PROJECT_CGROUP = env.text("SLIPWAY_CGROUP")
# What a run is held to where neither it nor its project says it.
PROJECT_PROCESSES = env.integer("SLIPWAY_RUN_PROCESSES", 4096, least=1)
PROJECT_DISK_MB = env.integer("SLIPWAY_RUN_DISK_MB", 20 * 1024, least=1)
ENVIRONMENTS_BYTES = env.integer("SLIPWAY_ENVIRONMENTS_MAX_GB", 20, least=1) * 1024**3
# How this machine's supervisor is called, and the address by which others reach its instances; empty: nobody else does.
SERVING_NAME = env.text("SLIPWAY_SERVING_NAME") or socket.gethostname()
SERVING_ADDRESS = env.address("SLIPWAY_SERVING_ADDRESS")
# What copies of versions' files may take here, and for how long instances go on when no supervisor looks after them.
SERVING_FILES_BYTES = env.integer("SLIPWAY_SERVING_FILES_MAX_GB", 20, least=1) * 1024**3
SERVING_ORPHAN_SECONDS = env.integer("SLIPWAY_SERVING_ORPHAN_SECONDS", 600, least=10)
# Images of versions: what they start from, and how they are called (a registry's address before it, for clusters).
SERVING_IMAGE = env.text("SLIPWAY_SERVING_IMAGE") or "python:{python}-slim"
SERVING_REPOSITORY = env.repository("SLIPWAY_SERVING_REPOSITORY") or "slipway-serving"
# The cluster of the target Kubernetes: a kubeconfig file with one of its contexts, or `in-cluster`; empty: none.
KUBECONFIG = env.text("SLIPWAY_KUBECONFIG")
KUBERNETES_CONTEXT = env.text("SLIPWAY_KUBERNETES_CONTEXT")
KUBERNETES_NAMESPACE = env.label("SLIPWAY_KUBERNETES_NAMESPACE") or "slipway"
KUBERNETES_PODS = env.integer("SLIPWAY_KUBERNETES_PODS", 4, least=1)
KUBERNETES_SERVICE = env.one_of("SLIPWAY_KUBERNETES_SERVICE", "ClusterIP", "LoadBalancer") or "ClusterIP"
KUBERNETES_PULL_SECRET = env.label("SLIPWAY_KUBERNETES_PULL_SECRET")
# What containers of projects may mount, and whether they may write there; the networks they may be in, first the usual.
DOCKER_VOLUMES = env.volumes("SLIPWAY_DOCKER_VOLUMES")
DOCKER_NETWORKS = env.words("SLIPWAY_DOCKER_NETWORKS") or ["bridge"]

_make_data_folder()
SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.words("SLIPWAY_SECRET_KEY_FALLBACKS")
DEBUG = False
# Where the newest head of the audit chain is kept beside the log; None: in the log alone.
AUDIT_HEADS: Path | None = DATA.root
NO_LOGIN = env.flag("SLIPWAY_NO_LOGIN")
ADMIN_USERNAME = env.text("SLIPWAY_ADMIN_USERNAME", "admin")
# The provider that people of a company sign in with, and whether passwords are taken beside it.
OIDC = env_oidc.oidc()
PASSWORD_SIGN_IN = env_oidc.password_sign_in("SLIPWAY_PASSWORD_SIGN_IN", OIDC)

# Proxies whose word is taken for who calls (`X-Forwarded-For`).
TRUSTED_PROXIES = env.networks("SLIPWAY_TRUSTED_PROXIES")

# Hosts: addresses, localhost, this machine's name and the public one. `apps.core.hosts` adds the addresses.
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
ALLOWED_HOSTS = ["*"]
ANSWERED_HOSTS = {"localhost", socket.gethostname().lower(), PUBLIC_HOST, urlsplit(TRACKING_URL).hostname or ""} - {""}
# How containers of projects call their host.
ANSWERED_HOSTS |= {"host.docker.internal"}
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_URL.startswith("https:") else None

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.usersessions",
    "channels",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "slipway",
    "apps.core",
    "apps.accounts",
    "apps.audit",
    "apps.notifications",
    "apps.experiments",
    "apps.registry",
    "apps.projects",
    "apps.exports",
    "apps.imports",
    "apps.deployments",
]

MIDDLEWARE = [
    "apps.core.middleware.RequestContextMiddleware",
    "apps.core.middleware.HostMiddleware",
    "apps.accounts.middleware.ApiGateMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.ActorMiddleware",
]

ROOT_URLCONF = "slipway.urls"
ASGI_APPLICATION = "slipway.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.context_processors.portal",
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE_URL", DATA.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url("REDIS_URL", f"unix://{DATA.socket}")
CACHES = {
    "default": {
        "BACKEND": "slipway.cache.KeptRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "slipway",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # The layer waits for messages five seconds at a time: answers that have to come sooner end quiet sockets.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 30}], "expiry": 60},
    }
}

# Open pages hear of changes at once; without it they look for themselves every few seconds.
LIVE_PUSH = True

_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_URL = _BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker that gave up would take its runs with it; they need no broker.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 60 * 60
# Longer than the time limit: else Redis hands a long task to a second worker.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * 60 * 60}
CELERY_BEAT_SCHEDULER = "slipway.clock:Clock"
# Intervals, not times of day: a laptop that sleeps at night still does its daily work. What waits too long is dropped,
# so that a worker that comes back doesn't find thousands of the same.
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "core.heartbeat", "schedule": timedelta(seconds=15), "options": {"expires": 15}},
    "look-at-certificate": {
        "task": "core.look_at_certificate",
        "schedule": timedelta(hours=1),
        "options": {"expires": 900},
    },
    "audit-seal": {"task": "audit.seal", "schedule": timedelta(seconds=10), "options": {"expires": 10}},
    "audit-verify": {"task": "audit.verify", "schedule": timedelta(days=1), "options": {"expires": 3600}},
    "clear-sessions": {"task": "core.clear_sessions", "schedule": timedelta(days=1), "options": {"expires": 3600}},
    "retention": {"task": "experiments.retention", "schedule": timedelta(days=1), "options": {"expires": 3600}},
    # What no message carries: the broker was away, or a sender was killed.
    "send-deliveries": {
        "task": "notifications.send_deliveries",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 10},
    },
    "send-mails": {"task": "notifications.send_mails", "schedule": timedelta(seconds=60), "options": {"expires": 60}},
    "write-digests": {
        "task": "notifications.write_digests",
        "schedule": timedelta(hours=1),
        "options": {"expires": 900},
    },
    "prune-notifications": {"task": "notifications.prune", "schedule": timedelta(days=1), "options": {"expires": 3600}},
    "registry-sweep": {"task": "registry.sweep", "schedule": timedelta(seconds=20), "options": {"expires": 20}},
    "projects-sweep": {"task": "projects.sweep", "schedule": timedelta(seconds=10), "options": {"expires": 10}},
    "projects-schedules": {
        "task": "projects.sweep_schedules",
        "schedule": timedelta(seconds=20),
        "options": {"expires": 20},
    },
    "projects-archives": {
        "task": "projects.prune_archives",
        "schedule": timedelta(days=1),
        "options": {"expires": 3600},
    },
    "projects-read": {"task": "projects.read_waiting", "schedule": timedelta(seconds=60), "options": {"expires": 60}},
    "count-storage": {"task": "experiments.count_storage", "schedule": timedelta(hours=1), "options": {"expires": 900}},
}

# Days that things stay in the trash; 0: until somebody runs `slipway gc`.
RETENTION_DAYS = env.integer("SLIPWAY_RETENTION_DAYS", 30)
# Archives of projects: how large a zip may be, what may come out of it, and how long one is kept that nobody needs.
PROJECT_ARCHIVE_BYTES = env.integer("SLIPWAY_PROJECT_ARCHIVE_MB", 512, least=1) * 1024**2
# What a form may send: such an archive, and the fields beside it.
MAX_UPLOAD_BYTES = PROJECT_ARCHIVE_BYTES + 1024**2
FILE_UPLOAD_HANDLERS = [
    "apps.core.uploads.BoundedUploads",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
PROJECT_UNPACKED_BYTES = env.integer("SLIPWAY_PROJECT_UNPACKED_MB", 2048, least=1) * 1024**2
PROJECT_ARCHIVE_FILES = env.integer("SLIPWAY_PROJECT_FILES", 20_000, least=1)
PROJECT_ARCHIVE_DAYS = env.integer("SLIPWAY_PROJECT_ARCHIVE_DAYS", 30)
# How much is kept of what a project run writes.
PROJECT_LOG_BYTES = env.integer("SLIPWAY_LOG_LIMIT_MB", 64, least=1) * 1024**2
ARTIFACT_BUCKET, ARTIFACT_PREFIX = env.artifact_store("SLIPWAY_ARTIFACT_STORE")
# Where clients reach the bucket, if elsewhere than we do; `none`: they don't, and all files go through this server.
_S3_PUBLIC_URL = env.text("SLIPWAY_S3_PUBLIC_URL")
S3_PUBLIC_URL = "" if _S3_PUBLIC_URL == "none" else env.public_url("SLIPWAY_S3_PUBLIC_URL")
# What clients are told of files (`server-info`). Parts go by presigned URLs, which only a bucket can make.
S3_IS_PRIVATE = _S3_PUBLIC_URL == "none"
MULTIPART_UPLOADS = MULTIPART_DOWNLOADS = bool(ARTIFACT_BUCKET) and not S3_IS_PRIVATE
# Buckets besides, which experiments may name as their place: `s3://bucket/prefix`, separated by commas.
ARTIFACT_LOCATIONS = env.buckets("SLIPWAY_ARTIFACT_LOCATIONS")
_FILES = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": str(DATA.artifacts), "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
}
# For each client of a bucket. Where there are none, boto looks for others of its own: files of its user, roles.
AWS_S3_ACCESS_KEY_ID = env.text("AWS_ACCESS_KEY_ID") or None
AWS_S3_SECRET_ACCESS_KEY = env.text("AWS_SECRET_ACCESS_KEY") or None
_S3_ENCRYPTION = env.one_of("SLIPWAY_S3_ENCRYPTION", "AES256", "aws:kms")
_S3 = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": ARTIFACT_BUCKET,
        "location": ARTIFACT_PREFIX,
        "endpoint_url": env.public_url("SLIPWAY_S3_ENDPOINT_URL") or None,
        "region_name": env.text("AWS_DEFAULT_REGION") or None,
        "querystring_auth": True,
        # Addresses that are handed out are signed with their headers.
        "signature_version": "s3v4",
        "file_overwrite": True,
        "object_parameters": {"ServerSideEncryption": _S3_ENCRYPTION} if _S3_ENCRYPTION else {},
    },
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DATA.uploads)}},
    "artifacts": _S3 if ARTIFACT_BUCKET else _FILES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path | tuple[str, str]] = [ASSETS / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Seconds that a link of `slipway user sign-in-link` is good for.
PASSWORD_RESET_TIMEOUT = 15 * 60
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
# One engine throttles: `apps.accounts.throttling`.
ACCOUNT_RATE_LIMITS = False
# Of a provider nothing is kept but who somebody is there.
SOCIALACCOUNT_STORE_TOKENS = False

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "slipway_session"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "slipway_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:")
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_URL.startswith("https:") else 0
# What isn't ours to decide: whether all of a domain is on TLS, and how the proxy answers plain HTTP.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Bodies of JSON routes; artifact routes stream and have no limit of ours.
MAX_JSON_BYTES = 32 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_JSON_BYTES

# What hooks may reach although it is not of the public internet.
OUTGOING_ALLOW = env.outgoing("SLIPWAY_OUTGOING_ALLOW")
# Below these, folders of the server may be projects.
PROJECT_FOLDERS = env.folders("SLIPWAY_PROJECT_FOLDERS")

_MAIL = env.mail("SLIPWAY_EMAIL_URL")
EMAIL_BACKEND = _MAIL["BACKEND"]
EMAIL_HOST, EMAIL_PORT = _MAIL.get("HOST", ""), _MAIL.get("PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.get("HOST_USER", ""), _MAIL.get("HOST_PASSWORD", "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.get("USE_SSL", False), _MAIL.get("USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("SLIPWAY_EMAIL_FROM") or f"slipway@{PUBLIC_HOST or 'localhost'}"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.core.api.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.core.api.HasActor"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.api.exception_handler",
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.TokenPagination",
    "UNAUTHENTICATED_USER": None,
    # `?format=` is ours: exports take it.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Slipway",
    "DESCRIPTION": "What the MLflow protocol lacks, and a cleaner shape of what it has.",
    "VERSION": SLIPWAY_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CheckStateEnum": "apps.registry.models.CheckState",
        "DeliveryStateEnum": "apps.notifications.models.DeliveryState",
        "DeploymentStateEnum": "apps.deployments.state_words.WORDS",
        "InstanceStateEnum": "apps.deployments.models.InstanceState",
        "JobKindEnum": "apps.projects.models.JobKind",
        "LevelEnum": "apps.accounts.api.serializers.LEVELS",
        "ObjectKindEnum": "apps.accounts.models.ObjectKind",
        "ProjectRunStateEnum": "apps.projects.models.RunState",
        "RevisionStateEnum": "apps.deployments.models.RevisionState",
        "RunStatusEnum": "apps.experiments.models.RunStatus",
        "WebhookStatusEnum": "apps.notifications.models.WebhookStatus",
        "WhoMovesEnum": "apps.registry.models.WhoMoves",
    },
}

_LOG_LEVEL = env.choice("SLIPWAY_LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LOG_FORMAT = env.one_of("SLIPWAY_LOG_FORMAT", "text", "json") or "text"
# Whether each answered call is a line of the log.
ACCESS_LOG = env.flag("SLIPWAY_ACCESS_LOG")
# Where spans go; empty: none are made (`slipway.tracing`).
TRACES_URL = env.tracing()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"belonging": {"()": "apps.core.logs.Belonging"}},
    "formatters": {
        "text": {"()": "apps.core.logs.TextFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "apps.core.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": _LOG_FORMAT, "filters": ["belonging"]}},
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL},
    "loggers": {
        "django.server": {"level": "WARNING"},
        # The worker's own level is higher: it must not swallow the heads of the audit chain.
        "slipway.audit": {"level": env.text("SLIPWAY_LOG_LEVEL", "INFO").upper()},
        # Asked for by a setting of its own.
        "slipway.access": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # Who sends no HTTP is told so; here it would only fill the log.
        "uvicorn": {"level": "ERROR"},
    },
}


def _vendor_static() -> list[tuple[str, str]]:
    """plotly.js, out of its Python wheel."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        return []
    return [("vendor/plotly", str(Path(spec.origin).parent / "package_data"))]


STATICFILES_DIRS += _vendor_static()
