"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from apps.core.context import new_request_id
from apps.core.errors import DomainError, EndpointNotFound, NotFound, Unavailable
from apps.core.faults import fault_of
from apps.deployments.gateway.answers import error_of
from apps.deployments.gateway.asked import Asked, Room
from apps.deployments.gateway.callers import Callers, check_origin
from apps.deployments.gateway.calls import Call, call_of
from apps.deployments.gateway.choosing import check_length, nothing_ready
from apps.deployments.gateway.clock import Clock
from apps.deployments.gateway.connection import CallerLeft
from apps.deployments.gateway.counting import Counts
from apps.deployments.gateway.epochs import Epochs, line_of_cache
from apps.deployments.gateway.quick import Flight, Quick, Unhurried
from apps.deployments.gateway.rates import Rates
from apps.deployments.gateway.relay import Receive, Relay, Send
from apps.deployments.gateway.routes import route_of
from apps.deployments.gateway.table import Endpoint
from apps.deployments.gateway.threads import Threads
from apps.deployments.gateway.watching import Watch


class Gateway:
    """Answers `/serve/<deployment>/…`. `start` and `stop` belong to the life of the process."""

    def __init__(self, threads: Threads | None = None) -> None:
        self._threads = threads or Threads()
        # Of its own: many who send wrong credentials must not keep it from hearing which instances have ended.
        self._watching = threads or Threads(ThreadPoolExecutor(2, "gateway watch"))
        self._line = line_of_cache()
        self._counts = Counts()
        self._callers = Callers(Epochs(self._line, self._threads), self._threads)
        self._rates = Rates(self._line)
        self._clock = Clock()
        self._room = Room()
        self.watch = Watch(self._watching, self._counts, self._clock)
        self.quick: Quick = Quick(self.watch, self._callers, self._counts, self._room)

    def be_ordinary(self) -> None:
        """Answer no call quickly: each becomes a request of the application, which others can look at."""
        self.quick = Unhurried(self.watch, self._callers, self._counts, self._room)

    async def start(self) -> None:
        """Begin to look at the database. It may be away: then calls are answered once it is there."""
        self.watch.start()

    async def stop(self) -> None:
        """Write down what was counted."""
        await self.watch.stop()
        if self._line is not None:
            self._line.close()
        self._threads.close()
        self._watching.close()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request of type `http`."""
        relay = Relay(receive, send, self._counts, self._clock, self._room)
        await self._bring(scope, relay, receive, send, self._answer(scope, relay))

    async def go_on(self, flight: Flight, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer what was begun as a quick call and turned out to be none."""
        relay = Relay(receive, send, self._counts, self._clock, self._room)
        await self._bring(scope, relay, receive, send, self._go_on(flight, relay))

    async def _bring(
        self, scope: Mapping[str, Any], relay: Relay, receive: Receive, send: Send, answering: Coroutine[Any, Any, None]
    ) -> None:
        """Bring a call to its end, whatever that is."""
        try:
            await answering
        except CallerLeft:
            return
        except Exception as error:  # noqa: BLE001 - what is no answer is raised again there
            await self._say(scope, relay, send, error)
        finally:
            relay.release()

    async def _answer(self, scope: Mapping[str, Any], relay: Relay) -> None:
        call = call_of(scope)
        asked = relay.take(call)
        check_origin(call)
        endpoint, who = await self._endpoint_for(call)
        route_of(call.rest, call.method)
        if endpoint.calls_per_minute is not None:
            await self._rates.count(endpoint.pk, who, endpoint.calls_per_minute)
        check_length(endpoint, call)
        await relay.gather(asked)
        await self._pass_on(endpoint, asked, relay)

    async def _go_on(self, flight: Flight, relay: Relay) -> None:
        relay.adopt(flight)
        if not await relay.go_on(flight):
            await self._pass_on(flight.endpoint, flight.asked, relay)

    async def _pass_on(self, endpoint: Endpoint, asked: Asked, relay: Relay) -> None:
        if await relay.pass_on(endpoint, asked):
            return
        # Perhaps what is known is old: instances end and others begin.
        await self.watch.refresh()
        endpoint = self.watch.table.endpoints.get(asked.call.name, endpoint)
        if not await relay.pass_on(endpoint, asked):
            relay.count_unreached(endpoint)
            raise nothing_ready(endpoint, asked)

    async def _endpoint_for(self, call: Call) -> tuple[Endpoint, str]:
        """The deployment, for somebody who may call it, and what they are counted by."""
        endpoint = self.watch.table.endpoints.get(call.name)
        if endpoint is None:
            # Those who may not come in at all don't learn what there is not.
            await self._callers.check(call, None)
            if not call.name:
                raise EndpointNotFound("No such route on this server.")
            await self.watch.refresh()
            endpoint = self.watch.table.endpoints.get(call.name)
            if endpoint is None and not self.watch.has_begun:
                raise Unavailable("What deployments there are is not known yet, since the database does not answer.")
        if endpoint is None:
            raise NotFound(f"No deployment {call.name.decode()!r}.")
        return endpoint, await self._callers.check(call, endpoint)

    async def _say(self, scope: Mapping[str, Any], relay: Relay, send: Send, error: Exception) -> None:
        """Answer an error; where an answer has begun, break off, so that nobody takes it for whole."""
        known = error if isinstance(error, DomainError) else fault_of(error)
        if relay.has_answered or known is None:
            raise error
        of_v2 = b"/v2" in (scope.get("raw_path") or scope["path"].encode())
        status, headers, body = error_of(known, relay.request_id or new_request_id(), of_v2=of_v2)
        relay.has_answered = True
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": body, "more_body": False})
