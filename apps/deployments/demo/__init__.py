"""Deployments for a first look: stopped, with revisions and traffic as if they had served for a while."""
