"""One service as the runner sees it: its process, what it said last, when it may start again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from mlinfn_condor.services import restarting, state
from mlinfn_condor.services.known import Service
from mlinfn_condor.services.state import ServiceState

LONGEST_LINE = 4096

Command = Callable[[Service], Sequence[str]]


def hosted(service: Service) -> Sequence[str]:
    """The command line of a service."""
    return [sys.executable, "-m", "mlinfn_condor.services.hosted", str(os.getpid()), *service.words]


class Child:
    """A service, started again and again."""

    def __init__(self, service: Service, command: Command, say: Callable[[str], None]) -> None:
        self.service, self._command, self._say = service, command, say
        self.state = ServiceState(service.name, "waiting", time.time())
        self.process: subprocess.Popen[bytes] | None = None
        self.pidfd = -1
        self._rest = b""
        self._last = ""

    @property
    def stderr(self) -> int:
        """Descriptor of what it says."""
        if self.process is None or self.process.stderr is None:
            raise RuntimeError("it does not run")
        return self.process.stderr.fileno()

    def start(self) -> None:
        """Start it. Raises OSError."""
        process = subprocess.Popen(self._command(self.service), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if process.stderr is not None:
            os.set_blocking(process.stderr.fileno(), False)
        self.process, self.pidfd = process, os.pidfd_open(process.pid)
        self._rest, self._last = b"", ""
        self.state = replace(
            self.state, state="running", since=time.time(), pid=process.pid, born=state.born(process.pid),
            starts=self.state.starts + 1, next_start=0,
        )  # fmt: skip

    def listen(self) -> bool:
        """Pass on what it said; False: it says nothing any more."""
        try:
            said = os.read(self.stderr, 65536)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + said).split(b"\n")
        if len(self._rest) > LONGEST_LINE or not said:
            lines, self._rest = [*lines, self._rest], b""
        for line in (each.decode(errors="replace").rstrip() for each in lines):
            if line:
                self._last = line[:LONGEST_LINE]
                self._say(line if line.startswith(f"{self.service.name}:") else f"{self.service.name}: {line}")
        return bool(said)

    def ended(self, *, wanted: bool) -> None:
        """It is over: take note of how, and when it may start again."""
        if self.process is None:
            return
        code = self.process.wait()
        self.listen()
        self.listen()
        if self.process.stderr is not None:
            self.process.stderr.close()
        os.close(self.pidfd)
        self.process, self.pidfd = None, -1
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        end, now = f"{how}: {self._last}" if self._last else how, time.time()
        if wanted:
            self.state = replace(self.state, state="stopped", since=now, pid=0, born=0, last_end=how)
            return
        self._wait(now, end, now - self.state.since)
        pause = self.state.next_start - now
        self._say(f"runner: {self.service.name} ended ({how}); started again in {pause:.0f} s")

    def refused(self, error: OSError) -> None:
        """It could not even be started."""
        self._wait(time.time(), f"cannot start: {error}", 0)

    def _wait(self, now: float, end: str, ran: float) -> None:
        failed = restarting.failures(self.state.failed, ran)
        self.state = replace(
            self.state, state="waiting", since=now, pid=0, born=0, failed=failed, last_end=end,
            next_start=now + restarting.pause_seconds(failed),
        )  # fmt: skip
