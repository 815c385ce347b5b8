"""What `slipway` runs with."""

from slipway.settings.base import *  # noqa: F403
