"""The first process: binds the address, loads the model, forks workers, replaces those that die, and ends with them.

Exit codes: 0 stopped as asked, 2 the configuration is wrong, 3 the model can't be loaded, 4 the address can't be had.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import stat
import sys
import time
import traceback
from typing import Any

from . import loading
from .board import HEARTBEAT, READY, RETIRING, Board
from .config import Config, Listen, WrongConfig, read
from .log import say
from .waiting import WaitingRoom

CAN_T_LOAD, CAN_T_LISTEN = 3, 4
#: Set in the environment of a process that must not load the model before it forks.
LOAD_IN_WORKERS = "SLIPWAY_SCORING_LOAD_IN_WORKERS"
#: A worker whose loop did not turn for so long, beyond the time of a request, holds the interpreter for good.
STALE_S = 15.0


def main(path: str) -> int:
    try:
        config = read(path)
    except WrongConfig as error:
        say(f"The configuration is wrong. {error}")
        return 2
    try:
        listener = bind(config.listen)
    except OSError as error:
        say(f"{config.listen} can't be listened on: {error.strerror or error}")
        return CAN_T_LISTEN
    try:
        return Master(config, listener).run()
    finally:
        if config.listen.unix:
            _unlink(config.listen.unix)


def bind(listen: Listen) -> socket.socket:
    """The listening socket. A socket file that nobody listens on is one of a killed server, and is replaced."""
    if listen.fd is not None:
        listener = socket.socket(fileno=listen.fd)
        listener.set_inheritable(False)
    elif listen.unix:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if _is_left_over(listen.unix):
            _unlink(listen.unix)
        listener.bind(listen.unix)
        os.chmod(listen.unix, 0o600)  # noqa: PTH101
    else:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listen.host, listen.port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def _is_left_over(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(path)
    except OSError as error:
        return error.errno == errno.ECONNREFUSED
    return False


def _unlink(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        pass


class Child:
    def __init__(self, number: int, pid: int) -> None:
        self.number, self.pid, self.began = number, pid, time.monotonic()
        self.retiring = False


class Master:
    def __init__(self, config: Config, listener: socket.socket) -> None:
        self.config, self.listener = config, listener
        self.board = Board(config.workers)
        self.children: dict[int, Child] = {}
        self.failures: list[int] = [0] * config.workers
        self.due: dict[int, float] = dict.fromkeys(range(config.workers), 0.0)
        self.pid = os.getpid()
        self.pyfunc: Any = None
        self.stop_by: float | None = None
        self.code = 0
        self.ready = False

    def run(self) -> int:
        began = time.monotonic()
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        self.room = WaitingRoom(self.listener)
        try:
            if not self._load():
                return CAN_T_LOAD
            if self.pyfunc is not None and not loading.may_be_forked():
                self.room.close()
                self._begin_again()
            self._watch(began)
        finally:
            self.room.close()
            self._kill_all()
        return self.code

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.stop_by is None:
            self.stop_by = time.monotonic() + self.config.grace_s + 2
            if not self.children:
                raise SystemExit(0)

    def _load(self) -> bool:
        """Import, and load where forks may share the model."""
        loading.quiet_environment()
        try:
            loading.import_mlflow()
            if LOAD_IN_WORKERS not in os.environ and loading.is_forkable(self.config.model):
                self.pyfunc = loading.load(self.config.model)
        except Exception as error:  # noqa: BLE001
            say_not_loaded(error)
            return False
        # What is there now is shared by all workers as long as nobody writes to it, which collecting garbage would.
        gc.collect()
        gc.freeze()
        return True

    def _begin_again(self) -> None:
        """The model brought libraries with it that have threads of their own, and forks of such hang. In a process that
        has never loaded it, forked workers load it each for itself."""
        say("The model is loaded by each worker, since what it needs can't be shared.")
        if self.config.listen.fd is not None:
            os.set_inheritable(self.config.listen.fd, True)
        os.environ[LOAD_IN_WORKERS] = "1"
        arguments = getattr(sys, "orig_argv", ["", "-I", *sys.argv])[1:]
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606

    def _watch(self, began: float) -> None:
        """Keep as many workers as wanted until all have stopped."""
        while True:
            now = time.monotonic()
            if self.stop_by is None:
                self._start_missing(now)
                self._look_at_workers(now)
            else:
                self._stop(now)
                if not self.children:
                    return
            self._reap()
            if not self.ready and any(self.board.of_each(READY)):
                self.ready = True
                self.room.close()
                say(f"{self.config.name} {self.config.version} is ready{self.where()} after {now - began:.1f} s.")
            time.sleep(0.02 if not self.ready or self.stop_by else 0.1)

    def where(self) -> str:
        """Nothing for a socket that was given and no network reaches: whoever gave it knows where it is."""
        listen = self.config.listen
        if listen.unix:
            return f" on {listen}"
        if self.listener.family == socket.AF_UNIX:
            return ""
        host, port = self.listener.getsockname()[:2]
        return f" on {Listen(host=f'[{host}]' if ':' in host else host, port=port)}"

    def _start_missing(self, now: float) -> None:
        there = {child.number for child in self.children.values() if not child.retiring}
        for number, due in self.due.items():
            if number not in there and due <= now:
                self._fork(number)

    def _fork(self, number: int) -> None:
        self.board[number][READY] = 0
        self.board[number][RETIRING] = 0
        self.board[number][HEARTBEAT] = 0
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self._be_worker(number)
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                os._exit(code)
        self.children[pid] = Child(number, pid)

    def _be_worker(self, number: int) -> int:
        from .model import Model
        from .worker import Worker

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            model = Model(self.pyfunc or loading.load(self.config.model), self.config)
        except Exception as error:  # noqa: BLE001
            say_not_loaded(error)
            return CAN_T_LOAD
        self.room.leave()
        Worker(self.config, self.listener, model, self.board, number, self.pid).run()
        return 0

    def _look_at_workers(self, now: float) -> None:
        for child in list(self.children.values()):
            numbers = self.board[child.number]
            if child.retiring:
                continue
            if numbers[RETIRING]:
                say(f"Worker {child.pid} has a prediction that hangs. Another one takes its place.")
                child.retiring = True
                os.kill(child.pid, signal.SIGTERM)
            elif numbers[HEARTBEAT] and now - numbers[HEARTBEAT] > self.config.timeout_s + STALE_S:
                say(f"Worker {child.pid} does not react any more, and is killed.")
                os.kill(child.pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.children.clear()
                return
            if not pid:
                return
            child = self.children.pop(pid, None)
            if child is not None:
                self._ended(child, status)

    def _ended(self, child: Child, status: int) -> None:
        if self.stop_by is not None or child.retiring:
            return
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        how = f"code {code}" if code is not None else f"signal {os.WTERMSIG(status)}"
        if not self.board[child.number][READY] and not self.ready:
            if code != CAN_T_LOAD:
                say(f"The model can't be loaded: its process ended with {how}.")
            self.code = CAN_T_LOAD
            self.stop_by = time.monotonic()
            return
        lived = time.monotonic() - child.began
        failures = 0 if lived > 60 else self.failures[child.number]
        pause = 0.0 if failures == 0 else min(60.0, 0.5 * 2**failures)
        self.failures[child.number] = failures + 1
        self.due[child.number] = time.monotonic() + pause
        say(f"Worker {child.pid} ended with {how}. Another one starts in {pause:g} s.")

    def _stop(self, now: float) -> None:
        assert self.stop_by is not None  # noqa: S101
        for child in self.children.values():
            if not child.retiring:
                child.retiring = True
                os.kill(child.pid, signal.SIGTERM)
            elif now > self.stop_by:
                os.kill(child.pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)


def say_not_loaded(error: BaseException) -> None:
    """The trace, and then a last line that says it in short."""
    traceback.print_exception(type(error), error, error.__traceback__)
    sys.stderr.flush()
    message = " ".join(str(error).split())
    os.write(2, f"[slipway] The model can't be loaded: {type(error).__name__}: {message}\n".encode("utf-8", "replace"))
