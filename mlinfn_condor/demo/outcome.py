"""What came of the story, for programs: `mlinfn demo --json`. Times are seconds, figures as in the events."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingOutcome:
    """One training that finished."""

    job: str
    user: str
    accuracy: float
    resumed: int
    """How many times it went on from a checkpoint."""
    lost_epochs: float
    """Computed twice, because it was displaced."""


@dataclass(frozen=True)
class SessionOutcome:
    """The session, with its times since submit."""

    job: str
    user: str
    devices: list[str]
    running_s: float
    answer_s: float
    device_s: float
    http_status: int
    told: list[str]
    """What the notebook said while the device was handed over."""
    computed: str
    """What its first cell printed."""


@dataclass(frozen=True)
class DaskOutcome:
    """The Dask computation."""

    workers: int
    area: float
    error: float
    bound: float
    right: bool
    blocks_by_worker: dict[str, int]
    ready_s: float
    """Until all workers had come."""
    seconds: float
    """Of computing."""


@dataclass(frozen=True)
class DisplacementOutcome:
    """Who displaced whom from which devices."""

    victim: str
    victim_user: str
    devices: list[str]
    newcomer: str | None
    newcomer_class: str | None
    newcomer_user: str | None


@dataclass(frozen=True)
class Outcome:
    """The whole story."""

    pool: str
    condor: str
    devices: int
    simulated_devices: int
    trainings: list[TrainingOutcome]
    session: SessionOutcome
    dask: DaskOutcome
    displacements: list[DisplacementOutcome]
    seconds: float
    """From the first line to the last; setting up included."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
