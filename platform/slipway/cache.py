"""The cache: Django's over Redis, with a client that is kept."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _KeptClient(RedisCacheClient):
    _kept: Any = None

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
