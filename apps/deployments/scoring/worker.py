"""One worker: a process with a loop for its connections."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from typing import Any

from .board import CONNECTIONS, HEARTBEAT, IN_FLIGHT, READY, RETIRING, Board
from .config import Config
from .connections import Connection, Doorman
from .log import say
from .model import Model
from .service import Service

#: How often connections and deadlines are looked at, in seconds.
SWEEP_S = 0.1
MOST_CONNECTIONS = 4000
#: A thread that still hangs so long after its request was given up costs the process.
HANGING_S = 5.0


class Worker:
    def __init__(
        self, config: Config, listener: socket.socket, model: Model, board: Board, number: int, master: int
    ) -> None:
        self.config, self.listener, self.board, self.number = config, listener, board, number
        self.numbers = board[number]
        self.service = Service(config, model, board, number)
        self.doorman = Doorman(config, self.service.handle, self.service.left, self.service.refusal)
        self.accepting = False
        self.stopping: asyncio.Event | None = None
        self._hanging_since = 0.0
        self._connecting: set[asyncio.Task[None]] = set()
        self._parent = master

    def run(self) -> None:
        """Serve until SIGTERM, or until the master is gone."""
        # A lane that holds the interpreter must not keep the loop from its connections for the usual 5 ms.
        sys.setswitchinterval(0.001)
        gc.freeze()
        _run_loop(self._main())

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        self.service.start(loop)
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        self.numbers[HEARTBEAT] = time.monotonic()
        self._accept_again()
        self.numbers[READY] = 1
        loop.call_later(SWEEP_S, self._sweep)
        await self.stopping.wait()
        await self._drain()

    # Taking connections

    def _accept_again(self) -> None:
        if not self.accepting and (self.stopping is None or not self.stopping.is_set()):
            self.accepting = True
            asyncio.get_running_loop().add_reader(self.listener.fileno(), self._accept)

    def _pause(self, seconds: float) -> None:
        self._stop_accepting()
        asyncio.get_running_loop().call_later(seconds, self._accept_again)

    def _stop_accepting(self) -> None:
        if self.accepting:
            self.accepting = False
            asyncio.get_running_loop().remove_reader(self.listener.fileno())

    def _accept(self) -> None:
        """Take a connection, unless others have fewer: they listen on the same socket, and get a moment to take it."""
        loop = asyncio.get_running_loop()
        own = len(self.doorman.connections)
        if own >= MOST_CONNECTIONS:
            self._pause(0.1)
            return
        if self.config.workers > 1 and own > min(self.board.of_each(CONNECTIONS)):
            self._pause(0.003)
        try:
            caller, _ = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            say(f"A connection could not be taken: {error}")
            self._pause(0.1)
            return
        caller.setblocking(False)
        if caller.family != socket.AF_UNIX:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.numbers[CONNECTIONS] = own + 1
        task = loop.create_task(self._connect(caller))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, caller: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(self.doorman), caller)
        except OSError:
            caller.close()

    # Looking after things

    def _sweep(self) -> None:
        now = time.monotonic()
        self.numbers[HEARTBEAT] = now
        self.numbers[CONNECTIONS] = len(self.doorman.connections)
        self.service.sweep(now)
        self.doorman.sweep(now)
        self._look_at_hanging(now)
        if os.getppid() != self._parent and self.stopping is not None:
            self.stopping.set()
        asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _look_at_hanging(self, now: float) -> None:
        """Where a thread hangs for good, ask the master for another worker in our place."""
        if not self.service.lanes.still_hanging():
            self._hanging_since = 0.0
        elif not self._hanging_since:
            self._hanging_since = now
            say("A prediction does not come back. Another thread takes over.")
        elif now - self._hanging_since > HANGING_S and not self.numbers[RETIRING]:
            self.numbers[RETIRING] = 1

    async def _drain(self) -> None:
        """Finish what is in flight, for as long as may be."""
        self._stop_accepting()
        end = time.monotonic() + self.config.grace_s
        self.doorman.closing = True
        # Who has just sent a request on a kept connection gets an answer and no reset.
        await asyncio.sleep(0.05)
        self.doorman.close_idle()
        while (self.service.jobs or self.doorman.connections) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        if self.service.jobs:
            say(f"{len(self.service.jobs)} requests did not end within {self.config.grace_s:g} s.")
        self.numbers[CONNECTIONS] = self.numbers[IN_FLIGHT] = 0


def _run_loop(main: Any) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main)
