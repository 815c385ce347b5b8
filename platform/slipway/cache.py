"""The cache: Django's over Redis, with a client that is kept."""

from __future__ import annotations

import os
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError


class _KeptClient(RedisCacheClient):
    # Django's types leave these out.
    _get_connection_pool: Any
    _serializer: Any

    _kept: Any = None
    _line: Any = None
    _line_of = 0

    def get(self, key: Any, default: Any) -> Any:
        """The value, asked on a connection of one's own: the pool, retries and hooks around it cost more than asking.

        What goes wrong there is left to the ordinary way, which connects anew and retries.
        """
        line, self._line = self._line, None
        if line is None or self._line_of != os.getpid():
            line = self._get_connection_pool(write=False).get_connection()
            self._line_of = os.getpid()
        try:
            line.send_command("GET", key)
            found = line.read_response()
        except BaseException as error:
            # An answer may still be on its way: nobody may take it for that of another question.
            line.disconnect()
            if not isinstance(error, RedisError):
                raise
            return super().get(key, default)
        self._line = line
        return default if found is None else self._serializer.loads(found)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client of the one server there is. Making one costs more than asking it, and each call asks."""
        if self._kept is None:
            self._kept = super().get_client(key, write=write)
        return self._kept


class KeptRedisCache(RedisCache):
    """For one server. A thread has its own, and with it a client of its own."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient
