"""Shapes of the API. Times are milliseconds since the epoch; readers take a body apart and never write."""
