from __future__ import annotations

import secrets
import socket
from typing import Any

import pytest
import redis

from slipway.cache import KeptRedisCache
from tests.servers import REDIS


def test_the_client_of_the_cache_is_made_once() -> None:
    # Made lazily: nobody has to listen there.
    cache = KeptRedisCache("redis://127.0.0.1:1/0", {})
    client = cache._cache.get_client("any")
    assert cache._cache.get_client("another", write=True) is client
    assert KeptRedisCache("redis://127.0.0.1:1/0", {})._cache.get_client() is not client


def redis_is_there() -> bool:
    try:
        return bool(redis.from_url(REDIS, socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


@pytest.mark.skipif(not redis_is_there(), reason="Redis does not answer at SLIPWAY_TEST_REDIS")
def test_a_kept_connection_that_breaks_is_made_anew() -> None:
    cache = KeptRedisCache(REDIS, {})
    client: Any = cache._cache
    key = f"test-{secrets.token_hex(8)}"
    cache.set(key, 7, timeout=60)
    assert [cache.get(key), cache.get(key), cache.get(f"{key}-missing", "none")] == [7, 7, "none"]
    line = client._line
    assert cache.get(key) == 7
    assert client._line is line
    line.disconnect()
    assert cache.get(key) == 7
    line._sock.shutdown(socket.SHUT_RDWR)
    assert cache.get(key) == 7
    assert client._line is not line
    # A process that was forked off has its own: two on one would read each other's answers.
    client._line_of = -1
    kept = client._line
    assert cache.get(key) == 7
    assert client._line is not kept
