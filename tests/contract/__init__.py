"""Truth by comparison: the same calls to MLflow's own server and to ours, and the answers compared."""
