"""What the runner knows of its services, in a file: readable while the database is away, and after a `kill -9`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.errors import UserError


@dataclass(frozen=True)
class ServiceState:
    """One service. Times are seconds of the epoch."""

    name: str
    state: str
    """`running`, `waiting` for its next start, or `stopped`."""
    since: float
    pid: int = 0
    born: int = 0
    """Start of the process in the kernel's ticks: a number of a process comes again, with this it does not."""
    starts: int = 0
    failed: int = 0
    """Ends in a row."""
    next_start: float = 0
    last_end: str = ""
    """How it ended last, in words."""


@dataclass(frozen=True)
class RunnerState:
    """The runner and its services."""

    pid: int
    born: int
    since: float
    services: tuple[ServiceState, ...]

    @property
    def alive(self) -> bool:
        """Whether this runner is still there."""
        return alive(self.pid, self.born)


_FILE = TypeAdapter(RunnerState)


def write(file: Path, state: RunnerState) -> None:
    """Whole or not at all. Raises OSError."""
    write_private(file, f"{json.dumps(asdict(state), indent=1)}\n".encode())


def read(file: Path) -> RunnerState:
    """What the last runner wrote. Raises UserError when there was none."""
    try:
        return _FILE.validate_json(file.read_bytes())
    except FileNotFoundError:
        raise UserError("no services were ever run here: `mlinfn services run` runs them") from None
    except (OSError, ValidationError) as error:
        raise UserError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error


def seen(state: RunnerState) -> list[tuple[ServiceState, str]]:
    """Each service with what is true of it now: a runner that was killed could not write that down."""
    return [(one, _now(one, runner=state.alive)) for one in state.services]


def born(pid: int) -> int:
    """When the process began, in ticks since boot; 0: there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def alive(pid: int, begun: int) -> bool:
    """Whether this very process is there and no corpse."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(status[19]) == begun and status[0] not in "ZX"


def me() -> tuple[int, int]:
    """This process, as `alive` knows it."""
    return os.getpid(), born(os.getpid())


def _now(one: ServiceState, *, runner: bool) -> str:
    if one.state == "running":
        return "running" if alive(one.pid, one.born) else "ended"
    return one.state if runner else "stopped"
