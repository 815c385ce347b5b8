from apps.core.mlflow.routing import Route

ROUTES: list[Route] = []
