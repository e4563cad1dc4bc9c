"""The runner: starts services, starts again what ended, ends all in order. It waits for events and polls nothing.

Each service is a process, not a thread: HTCondor's bindings know one identity a process, keep the interpreter's lock
while they wait for a daemon, and may end the interpreter; and each service is a command that also works alone.
"""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mlinfn_condor.services import state
from mlinfn_condor.services.child import Child, Command, hosted
from mlinfn_condor.services.known import Service
from mlinfn_condor.services.state import RunnerState

END_SECONDS = 30.0
"""What a service gets between SIGTERM and SIGKILL."""


class Runner:
    """Runs services until it is told to stop."""

    def __init__(
        self,
        services: Sequence[Service],
        file: Path,
        command: Command = hosted,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201
        end_seconds: float = END_SECONDS,
    ) -> None:
        self.children = [Child(service, command, say) for service in services]
        self._file, self._say, self._end_seconds = file, say, end_seconds
        self._since = time.time()
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, None)

    def stop(self) -> None:
        """End all services and return from `run`; may be called by a signal's handler."""
        self._stopping = True
        with suppress(BlockingIOError):
            os.write(self._woken, b"x")

    def run(self) -> None:
        """Until `stop`, or SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        while not self._stopping:
            now = time.time()
            for child in self.children:
                if child.process is None and child.state.next_start <= now:
                    self._start(child)
            self.note()
            starts = [child.state.next_start for child in self.children if child.process is None]
            self._turn(max(0.0, min(starts) - time.time()) if starts else None)
        for child in reversed(self.children):
            self._end(child)
        self.note()

    def note(self) -> None:
        """Write down how the services do; a disk that refuses stops none of them."""
        try:
            state.write(self._file, RunnerState(*state.me(), self._since, tuple(each.state for each in self.children)))
        except OSError as error:
            self._say(f"runner: cannot write {self._file}: {error.strerror}")

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            child.refused(error)
            return
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)
        self._selector.register(child.stderr, selectors.EVENT_READ, child)

    def _turn(self, seconds: float | None, *, wanted: bool = False) -> None:
        for key, _ in self._selector.select(seconds):
            child = key.data
            if child is None:
                os.read(self._wake, 64)
            elif child.process is not None and key.fd == child.pidfd:
                self._selector.unregister(child.pidfd)
                with suppress(KeyError):
                    self._selector.unregister(child.stderr)
                child.ended(wanted=wanted)
            elif child.process is not None and not child.listen():
                self._selector.unregister(key.fd)

    def _end(self, child: Child) -> None:
        if child.process is None:
            return
        child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._end_seconds
        while child.process is not None and (left := deadline - time.monotonic()) > 0:
            self._turn(left, wanted=True)
        if child.process is not None:
            self._say(f"runner: {child.service.name} did not end within {self._end_seconds:.0f} s: killed")
            child.process.kill()
            while child.process is not None:
                self._turn(None, wanted=True)
