"""The shapes of webhooks. A new one is a class in a module of this package and a line below."""

from apps.core.errors import InvalidInput
from apps.notifications.dialects.base import Call, Dialect, Secrets, Telling, dump
from apps.notifications.dialects.chat import DingTalkDialect, FeishuDialect, SlackDialect
from apps.notifications.dialects.databricks import DatabricksDialect
from apps.notifications.dialects.generic import GenericDialect
from apps.notifications.dialects.mlflow import MlflowDialect

__all__ = ["DIALECTS", "Call", "Dialect", "Secrets", "Telling", "dialect_of", "dump"]

DIALECTS: dict[str, Dialect] = {
    dialect.code: dialect
    for dialect in (
        GenericDialect(),
        MlflowDialect(),
        DatabricksDialect(),
        SlackDialect(),
        FeishuDialect(),
        DingTalkDialect(),
    )
}


def dialect_of(code: str) -> Dialect:
    """The dialect of that code. Raises `InvalidInput`."""
    if code not in DIALECTS:
        raise InvalidInput(f"There is no dialect '{code[:32]}'; there are {', '.join(DIALECTS)}.")
    return DIALECTS[code]
