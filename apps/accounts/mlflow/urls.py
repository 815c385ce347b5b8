"""Each module of this package lists its own routes; this joins them."""

from apps.accounts.mlflow import grants, legacy_grants, roles, users, workspaces

ROUTES = [*workspaces.ROUTES, *users.ROUTES, *grants.ROUTES, *legacy_grants.ROUTES, *roles.ROUTES]
