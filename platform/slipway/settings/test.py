"""What the tests run with: in-process cache and channels, cheap passwords, a data folder of their own."""

import os
import tempfile

os.environ.setdefault("SLIPWAY_HOME", tempfile.mkdtemp(prefix="slipway-test-"))
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and not os.environ["SLIPWAY_HOME"].endswith(f"/{worker}"):
    # Who tests beside others has a folder of its own: what lies there is told to be all that a test left.
    os.environ["SLIPWAY_HOME"] += f"/{worker}"
os.environ.setdefault("SLIPWAY_SECRET_KEY", "only-for-tests-" + "x" * 40)

from slipway.settings.base import *  # noqa: F403
from slipway.settings.base import DATABASES

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# A thread of its own would reach for a database that the test has closed.
LIVE_PUSH = False
AUDIT_HEADS = None
CELERY_TASK_ALWAYS_EAGER = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ANSWERED_HOSTS = {"testserver", "localhost"}

# A pool outlives the connections that the test runner closes and drops databases under.
DATABASES["default"]["OPTIONS"].pop("pool", None)
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("SLIPWAY_TEST_DATABASE")}
