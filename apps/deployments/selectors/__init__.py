"""What pages and the API show of deployments, in a constant number of statements."""
