"""Registered models, their versions, and how a version comes into a stage: policies, requests, gates, history."""
