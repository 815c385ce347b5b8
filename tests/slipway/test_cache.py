from __future__ import annotations

from slipway.cache import KeptRedisCache


def test_the_client_of_the_cache_is_made_once() -> None:
    # Made lazily: nobody has to listen there.
    cache = KeptRedisCache("redis://127.0.0.1:1/0", {})
    client = cache._cache.get_client("any")
    assert cache._cache.get_client("another", write=True) is client
    assert KeptRedisCache("redis://127.0.0.1:1/0", {})._cache.get_client() is not client
