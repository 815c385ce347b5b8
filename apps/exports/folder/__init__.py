"""A folder as MLflow's own file store keeps it, which each of its releases opens."""
