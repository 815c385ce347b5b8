"""Who is to answer a call, and what is said where nobody can."""

from __future__ import annotations

from collections.abc import Iterable

from apps.core.errors import BadRequest, DomainError, NotFound, TooLarge, Unavailable
from apps.deployments.gateway.asked import Asked
from apps.deployments.gateway.calls import Call
from apps.deployments.gateway.table import Endpoint, Side
from apps.deployments.gateway.upstream import Upstream


def pick(endpoint: Endpoint, asked: Asked, now: float) -> tuple[Side, Upstream] | None:
    """Who is to answer: the revision that is named, or whose turn it is, and its instance with the least in hand."""
    ready = endpoint.ready(asked.tried, now)
    named = asked.call.ours.get(b"x-slipway-revision")
    if named is not None:
        number = _named(endpoint, named)
        if number not in ready:
            return None
    elif endpoint.sticky_header and (key := asked.call.header(endpoint.sticky_header)):
        chosen = endpoint.split.of_key(key, ready)
        if chosen is None:
            return None
        number = chosen
    else:
        turn = endpoint.split.next(ready)
        if turn is None:
            return None
        number = turn
    return endpoint.sides[number], least_loaded(ready[number])


def least_loaded(upstreams: Iterable[Upstream]) -> Upstream:
    """The one with the least in hand; of equals, the one that was asked longest ago."""
    found = min(upstreams, key=lambda each: (each.in_hand, each.asked_at))
    Upstream.clock += 1
    found.asked_at = Upstream.clock
    return found


def nothing_ready(endpoint: Endpoint, asked: Asked) -> DomainError:
    """Why a deployment can't answer, and what to do about it."""
    if endpoint.is_stopped:
        return Unavailable(
            f"{endpoint.name} is stopped. Start it on its page, or ask those who keep it.", retry_after=30
        )
    named = asked.call.ours.get(b"x-slipway-revision")
    if named is not None:
        return Unavailable(
            f"Revision {named.decode('latin-1')} of {endpoint.name} does not answer now. "
            "Leave the header X-Slipway-Revision out."
        )
    if not endpoint.split.weights:
        return Unavailable(
            f"{endpoint.name} has no revision that is ready yet. Its page says how far it is.", retry_after=5
        )
    return Unavailable(f"No instance of {endpoint.name} answers now. Try again in a moment; its page says why.")


def check_length(endpoint: Endpoint, call: Call) -> None:
    """Raise `TooLarge` for a body that is told to be larger than any revision takes, before it is read."""
    if call.length and endpoint.sides:
        most = max(endpoint.sides.values(), key=lambda side: side.max_body_bytes)
        if call.length > most.max_body_bytes:
            raise too_large(most)


def _named(endpoint: Endpoint, named: bytes) -> int:
    if not named.isdigit() or len(named) > 9:
        raise BadRequest("X-Slipway-Revision has to be the number of a revision.")
    number = int(named)
    if number not in endpoint.sides:
        raise NotFound(f"{endpoint.name} has no revision {number} that runs.")
    return number


def too_large(side: Side) -> TooLarge:
    """A body is larger than a revision takes."""
    return TooLarge(f"The body is larger than {side.max_body_bytes // 1024**2} MB, the limit of this deployment.")
