"""What the gateway hears from Redis: a real one, and one that does not do as it should."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from django.core.cache import cache
from redis.asyncio import Redis

from apps.accounts import epoch
from apps.core.errors import TooManyRequests
from apps.deployments.gateway import resp
from apps.deployments.gateway.epochs import Epochs
from apps.deployments.gateway.rates import Rates
from apps.deployments.gateway.redis_line import RedisAway, RedisLine
from apps.deployments.gateway.threads import Threads
from tests.servers import REDIS


def redis_is_there() -> bool:
    try:
        return bool(redis.from_url(REDIS, socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


needs_redis = pytest.mark.skipif(not redis_is_there(), reason="Redis does not answer at SLIPWAY_TEST_REDIS")
Scenario = Callable[[Redis, RedisLine, Epochs, bytes], Awaitable[None]]


def with_redis(monkeypatch: pytest.MonkeyPatch, scenario: Scenario) -> None:
    """A line that tracks a key of this test alone."""
    key = f"test-{secrets.token_hex(8)}"
    monkeypatch.setattr(epoch, "cache_key", lambda: key)

    async def live() -> None:
        line = RedisLine(REDIS, tracked=key.encode())
        async with Redis.from_url(REDIS) as client:
            try:
                await scenario(client, line, Epochs(line, Threads()), key.encode())
            finally:
                line.close()
                await client.delete(key)

    asyncio.run(live())


@needs_redis
def test_the_epoch_is_told_and_not_asked_for_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Redis, line: RedisLine, epochs: Epochs, key: bytes) -> None:
        await client.set(key, 5)
        assert await epochs.current() == 5
        assert line.is_tracking
        asked: list[Any] = []
        ask_soon = line.ask_soon

        def counted(*words: bytes) -> Any:
            asked.append(words)
            return ask_soon(*words)

        monkeypatch.setattr(line, "ask_soon", counted)
        assert [await epochs.current() for _ in range(50)] == [5] * 50
        assert len(asked) <= 1
        for number in range(6, 40):
            await client.incr(key)
            assert await epochs.current() == number, "a change acts at the next call"

    with_redis(monkeypatch, scenario)


@needs_redis
def test_calls_that_come_together_share_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Redis, line: RedisLine, epochs: Epochs, key: bytes) -> None:
        await client.set(key, 5)
        assert await asyncio.gather(*(epochs.current() for _ in range(20))) == [5] * 20

    with_redis(monkeypatch, scenario)


@needs_redis
def test_a_line_that_breaks_is_made_anew_and_believed_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Redis, line: RedisLine, epochs: Epochs, key: bytes) -> None:
        await client.set(key, 5)
        assert await epochs.current() == 5
        line.close()
        assert not line.is_tracking
        await client.set(key, 9)
        assert await epochs.current() == 9
        assert line.is_tracking

    with_redis(monkeypatch, scenario)


@needs_redis
def test_calls_are_counted_over_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    name = secrets.token_hex(8)
    monkeypatch.setattr(cache, "make_key", lambda key: f"{name}.{key}", raising=False)

    async def live() -> None:
        lines = [RedisLine(REDIS), RedisLine(REDIS)]
        rates = [Rates(line) for line in lines]
        for number in range(4):
            await rates[number % 2].count(1, "token.1", 4)
        for each in rates:
            with pytest.raises(TooManyRequests):
                await each.count(1, "token.1", 4)
        await rates[0].count(1, "token.2", 4)
        async with Redis.from_url(REDIS) as client:
            kept = [key async for key in client.scan_iter(f"{name}*")]
            assert all([0 < await client.ttl(key) <= 150 for key in kept])
            await client.delete(*kept)
        for line in lines:
            line.close()

    asyncio.run(live())


@pytest.mark.parametrize(
    "says",
    [b"-ERR no\r\n", b"!?\r\n", b"", b":7\r\n:7\r\n:7\r\n", b"$-7\r\n"],
    ids=["error", "odd", "end", "more", "size"],
)
def test_a_redis_that_is_none_is_away(says: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(says)
        writer.close()

    async def live() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            line = RedisLine(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", tracked=b"epoch")
            epochs = Epochs(line, Threads())
            assert await epochs.current() == epoch.UNKNOWN
            line.close()
        gone = RedisLine("redis://127.0.0.1:1/0")
        with pytest.raises(RedisAway):
            await gone.ask(b"PING")
        await Rates(gone).count(1, "token.1", 1)

    asyncio.run(live())


def test_one_that_does_not_tell_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch, "cache_key", lambda: "epoch")
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while words := await reader.read(1000):
            asked.append(words)
            known = b"GET" in words
            writer.write(b"$1\r\n%d\r\n" % len(asked) if known else b"-ERR unknown command\r\n")

    async def live() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            line = RedisLine(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", tracked=b"epoch")
            epochs = Epochs(line, Threads())
            assert [await epochs.current() for _ in range(3)] == [2, 3, 4]
            line.close()

    asyncio.run(live())


def test_the_protocol_is_read_in_pieces() -> None:
    lines = [
        ">2",
        "$10",
        "invalidate",
        "*1",
        "$1",
        "k",
        "$3",
        "abc",
        ":-4",
        "_",
        "$-1",
        "*-1",
        "%1",
        "+a",
        "#t",
        "-ERR x",
    ]
    whole = "".join(f"{line}\r\n" for line in lines).encode()
    said, start = [], 0
    while start < len(whole):
        one = resp.read(whole, start)
        assert one is not None
        assert all(resp.read(whole[:cut], start) is None for cut in range(start, one.end))
        said.append((one.value, one.is_push, one.is_error))
        start = one.end
    values = [b"abc", -4, None, None, None, [b"a", b"t"]]
    assert said[0] == ([b"invalidate", [b"k"]], True, False)
    assert said[1:-1] == [(value, False, False) for value in values]
    assert said[-1] == (b"ERR x", False, True)
