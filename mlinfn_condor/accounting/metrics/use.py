"""What attempts had of the devices, what nobody had, and what people waited for. Pure.

Everything recorded may be told better by a later record: an attempt that ran and looked busy turns out lost. So these
sums can fall, and are gauges; `delta()` of them is right over any time, where `rate()` would take each correction for
a restart, and count the whole past again.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from prometheus_client.core import Metric

from mlinfn_condor.accounting.metrics.days import Sums
from mlinfn_condor.accounting.metrics.families import Counter, Gauge, Histogram

WHO = ("project", "class", "model")
CLAIMED = Gauge(
    "mlinfn_claimed_device_seconds",
    "Device seconds that attempts held, each once; use is busy, idle, lost or unmeasured. For delta(), not rate().",
    (*WHO, "use"),
)
UNCLAIMED = Gauge(
    "mlinfn_unclaimed_device_seconds",
    "Granted device seconds so far that no attempt held; state is given (to a project) or unallocated.",
    ("model", "state"),
)
HANDOVER = Gauge(
    "mlinfn_handover_device_seconds",
    "Device seconds that attempts waited for whoever they displaced; not part of the claimed ones.",
    WHO,
)
CORES = Gauge("mlinfn_core_seconds", "Core seconds of the attempts' slots so far; model none: without a device.", WHO)
ENERGY = Gauge("mlinfn_attempt_energy_joules", "Energy of the attempts so far, as far as it was measured.", WHO)
ENERGY_UNKNOWN = Gauge(
    "mlinfn_attempt_energy_unknown_seconds", "Claimed device seconds so far without a measured energy.", WHO
)
ATTEMPTS = Gauge(
    "mlinfn_attempts",
    "Attempts that ended so far; outcome is displaced, failed (or vanished with their node), or ended.",
    (*WHO, "outcome"),
)
SPAWN_BOUNDS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0)
SPAWN_SECONDS = Histogram(
    "mlinfn_spawn_seconds", "From the click to the session that answers, of those that did.", SPAWN_BOUNDS, ("model",)
)
SPAWNS = Counter("mlinfn_spawns_total", "Sessions that were asked for, by how that ended.", ("model", "outcome"))


class Used(NamedTuple):
    """Figures of `use_of_days.sql`, in its order."""

    attempts: float
    displaced: float
    failed: float
    claimed_s: float
    lost_s: float
    busy_s: float
    measured_s: float
    joules: float
    energy_s: float
    handover_s: float
    cpu_s: float
    of_given_s: float
    """Claimed while the inventory had given the device to a project."""
    of_pool_s: float
    """Claimed while the inventory had it with the pool."""


def used(sums: Sums) -> Iterator[Metric]:
    """claimed = busy + idle + lost + unmeasured. `sums`: by model, project and class."""
    told = [((project, kind, model), Used(*figures)) for (model, project, kind), figures in sums.items()]
    on_devices = [(who, use) for who, use in told if who[2] != "none"]
    yield CLAIMED.of(
        ((*who, name), seconds)
        for who, use in on_devices
        for name, seconds in (
            ("busy", use.busy_s),
            ("idle", use.measured_s - use.busy_s),
            ("lost", use.lost_s),
            ("unmeasured", use.claimed_s - use.lost_s - use.measured_s),
        )
    )
    yield HANDOVER.of((who, use.handover_s) for who, use in on_devices)
    yield ENERGY.of((who, use.joules if use.energy_s > 0 else None) for who, use in on_devices)
    yield ENERGY_UNKNOWN.of((who, use.claimed_s - use.energy_s) for who, use in on_devices)
    yield CORES.of((who, use.cpu_s) for who, use in told)
    yield ATTEMPTS.of(
        ((*who, outcome), count)
        for who, use in told
        for outcome, count in (
            ("displaced", use.displaced),
            ("failed", use.failed),
            ("ended", use.attempts - use.displaced - use.failed),
        )
    )


def unclaimed(sums: Sums, granted: Sequence[tuple[str, bool, float]]) -> Metric:
    """What is left of what was granted: granted = claimed + given + unallocated.

    `granted`: model, whether a project has it, seconds.
    """
    left = {(model, given): seconds for model, given, seconds in granted}
    for (model, *_), figures in sums.items():
        use = Used(*figures)
        for key, claimed in (((model, True), use.of_given_s), ((model, False), use.of_pool_s)):
            if claimed:
                left[key] = left.get(key, 0) - claimed
    return UNCLAIMED.of(
        ((model, "given" if given else "unallocated"), seconds) for (model, given), seconds in left.items()
    )


def spawned(rows: Sequence[tuple[Any, ...]]) -> Iterator[Metric]:
    """`rows`: model, outcome, bucket (None: never ready), how many, their seconds."""
    counts: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    outcomes: dict[tuple[str, str], int] = {}
    for model, outcome, bucket, many, total in rows:
        outcomes[model, outcome] = outcomes.get((model, outcome), 0) + many
        if bucket is not None:
            counts.setdefault(model, [0] * (len(SPAWN_BOUNDS) + 1))[bucket] += many
            seconds[model] = seconds.get(model, 0) + total
    yield SPAWN_SECONDS.of(((model,), counts[model], seconds[model]) for model in counts)
    yield SPAWNS.of(outcomes.items())
