"""Django's own handler, which the ASGI front runs on a pool of threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slipway.settings.prod")

application = get_wsgi_application()
