"""What the entrypoint starts: the startd, and the question whether the collector takes it.

Processes are started without the entrypoint's blocked signals, and hear SIGTERM when it dies: outside a container
nothing else would end a startd whose entrypoint was killed. (A startd that changes to another user, as one of root's
does, loses that; such a one runs in a container, which ends with its first process.)
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import PREFIX, Orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed
from mlinfn_condor.glidein.processes import MARK

WITHDRAW_SECONDS = 5
"""A collector that does not answer must not keep a pod from ending."""
_SET_CHILD_SUBREAPER = 36
"""Of prctl(2)."""


class Children:
    """Processes of one glidein."""

    def __init__(self, orders: Orders, layout: Layout) -> None:
        self._orders, self._layout = orders, layout
        self._environment = environment(os.environ, layout)
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise GlideinFailed(Exit.STARTUP, "there is no setpriv here: install util-linux")
        self._setpriv = setpriv

    def startd(self) -> int:
        """Start the startd; its process id."""
        return self._start(self._orders.htcondor / "sbin/condor_startd", "-f")

    def ask_collector(self) -> int:
        """Start asking whether the collector lets this token advertise slots; `answer` has its words."""
        program = self._orders.htcondor / "bin/condor_ping"
        answer = os.open(self._answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            return self._start(program, "-type", "collector", "-quiet", "ADVERTISE_STARTD", output=answer)
        finally:
            os.close(answer)

    def withdraw_slots(self) -> None:
        """Take its slots out of the collector, as a startd does that ends by itself.

        Those that a killed one leaves there seem to be in use: their group's next job waits until they are forgotten.
        """
        ad = self._layout.etc / "withdrawn"
        ad.write_text(f'MyType = "Query"\nTargetType = "Machine"\nRequirements = {self._mine}\n')
        program = self._orders.htcondor / "sbin/condor_advertise"
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            command = [str(program), "-tcp", "INVALIDATE_STARTD_ADS", str(ad)]
            subprocess.run(command, env=self._environment, capture_output=True, timeout=WITHDRAW_SECONDS, check=False)

    @property
    def _mine(self) -> str:
        return f'MlinfnGlideinUid == "{self._orders.uid}"'

    @property
    def _answer(self) -> Path:
        return self._layout.etc / "answer"

    def answer(self) -> str:
        """The last words of the question, in one line."""
        try:
            lines = [line.strip() for line in self._answer.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        return "; ".join(lines)[-500:] or "it says that this token may not advertise slots"

    def _start(self, program: Path, *arguments: str, output: int | None = None) -> int:
        command = [self._setpriv, "--pdeathsig", "TERM", str(program), *arguments]
        actions: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
        actions += [(os.POSIX_SPAWN_DUP2, output, fd) for fd in (1, 2) if output is not None]
        try:
            return os.posix_spawn(
                self._setpriv, command, self._environment, file_actions=actions, setpgroup=0, setsigmask=()
            )
        except OSError as error:
            raise GlideinFailed(Exit.STARTUP, f"{program} does not start: {error.strerror}") from error


def environment(own: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What daemons and payloads of the glidein inherit: nothing of another pool's, and none of the orders."""
    kept = {n: v for n, v in own.items() if not n.upper().startswith((PREFIX, "_CONDOR_", "CONDOR_"))}
    return kept | {"CONDOR_CONFIG": str(layout.condor_config), MARK: str(layout.work)}


def inherit_orphans() -> None:
    """Become the parent of what a killed startd leaves behind, as the first process of a container is anyway."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ended() -> Iterator[tuple[int, int]]:
    """Process id and exit code (negative: the signal) of every child that ended; of orphans too where it is the first
    process of a container, for nobody else takes them there.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a child that was not waited for: its id cannot be another's."""
    os.kill(pid, number)
