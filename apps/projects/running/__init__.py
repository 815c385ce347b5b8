"""Running an entry point on this machine, as `slipway run` does."""
