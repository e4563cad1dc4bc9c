"""The database's figures: what `mlinfn report` says of everything up to now, what runs, and how the recorder does."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.core import Metric

from mlinfn_condor.accounting.metrics.days import KeptDays, list_days
from mlinfn_condor.accounting.metrics.families import Gauge
from mlinfn_condor.accounting.metrics.statements import SQL
from mlinfn_condor.accounting.metrics.use import SPAWN_BOUNDS, spawned, unclaimed, used
from mlinfn_condor.store import Connection, Error, connect

ENERGY = Gauge("mlinfn_measured_energy_joules", "Energy that devices measured so far, claimed or not.", ("model",))
ENERGY_KNOWN = Gauge("mlinfn_measured_energy_known_seconds", "Device seconds whose energy was measured.", ("model",))
DEVICES = Gauge(
    "mlinfn_devices",
    "Granted devices at the last look; state is claimed (class: by whom), given (to a project) or unallocated.",
    ("model", "state", "class"),
)
DEVICE_INFO = Gauge(
    "mlinfn_device_info",
    "1 for each device that the platform has now; owner is the project that paid for it.",
    ("node", "device", "kind", "model", "simulated", "owner"),
)
RUNNING = Gauge("mlinfn_running_attempts", "Attempts that run at the last look.", ("project", "class"))
USERS = Gauge("mlinfn_users", "People with a running attempt at the last look.", ("class",))
LAST_LOOK = Gauge(
    "mlinfn_recorder_last_look_timestamp_seconds", "When the recorder last saw a device or an attempt in the pool."
)
LAST_READ = Gauge(
    "mlinfn_recorder_last_read_timestamp_seconds",
    "When the recorder last found something new in a history.",
    ("access_point", "kind"),
)
RECORDS = Gauge("mlinfn_recorder_records", "Records read from histories.", ("access_point", "kind"))
REFUSED = Gauge(
    "mlinfn_recorder_refused_records", "Records of histories that were not understood.", ("access_point", "kind")
)
PENDING = Gauge("mlinfn_recorder_pending_sums", "Days over that are still to be added up.")
SIZE = Gauge("mlinfn_database_size_bytes", "The database on disk.")
SCHEDULES = Gauge("mlinfn_schedules", "Schedules that are kept; kind is what starts their runs.", ("kind",))
SCHEDULED_RUNS = Gauge(
    "mlinfn_schedule_runs", "Runs in the history; state is done, failed, skipped or running.", ("kind", "state")
)
SCHEDULE_LATE = Gauge(
    "mlinfn_schedule_late_seconds", "Longest wait of a due run that only the scheduler keeps waiting.", ("kind",)
)

LONGEST_LOOK_SECONDS = 60
"""No statement takes longer. The first look after a start reads the sums of all days, so scrapes do not wait for it."""


class RecordedFigures:
    """The database of a site, read by a role that may only read; it connects again by itself."""

    def __init__(
        self,
        dsn: Callable[[], str],
        fresh_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`fresh_seconds`: what was seen longer ago is not how the pool looks now, and has no samples."""
        self._dsn = dsn
        self._fresh = timedelta(seconds=fresh_seconds)
        self._now = now
        self._connection: Connection | None = None
        self._use = KeptDays("use_of_days", labels=3)
        self._energy = KeptDays("energy_of_days", labels=1)

    def look(self) -> list[Metric]:
        """Everything, of one moment. Raises StoreError or psycopg's Error."""
        connection = self._database()
        try:
            with connection.transaction():
                return list(self._read(connection, self._now()))
        except Error:
            self.close()  # a connection that failed once is not worth a second question
            raise

    def close(self) -> None:
        """End the connection; the next look opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _database(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._dsn(), autocommit=True, application="mlinfn metrics")
        return self._connection

    def _read(self, connection: Connection, now: datetime) -> Iterator[Metric]:
        def rows(statement: str, **more: Any) -> list[tuple[Any, ...]]:
            asked = {"now": now, "fresh": now - self._fresh, **more}
            return connection.execute(SQL.text(statement), asked).fetchall()

        connection.execute(SQL.text("begin_reading"))
        rows("bound_reading", ms=LONGEST_LOOK_SECONDS * 1000)
        settled, unsettled = list_days(connection, now)
        use = self._use.total(connection, settled, unsettled, now)
        yield from used(use)
        yield unclaimed(use, rows("granted"))
        energy = self._energy.total(connection, settled, unsettled, now)
        yield ENERGY.of((model, joules) for model, (joules, _) in energy.items())
        yield ENERGY_KNOWN.of((model, known) for model, (_, known) in energy.items())
        yield DEVICES.of((row[:3], row[3]) for row in rows("devices_now"))
        yield DEVICE_INFO.of(
            ((node, device, kind, model, str(simulated).lower(), owner), 1)
            for node, device, kind, model, simulated, owner in rows("known_devices")
        )
        yield RUNNING.of((row[:2], row[2]) for row in rows("running_now"))
        yield USERS.of((row[:1], row[1]) for row in rows("users_now"))
        yield from spawned(rows("spawns", bounds=[timedelta(seconds=bound) for bound in SPAWN_BOUNDS]))
        ((looked, size, waiting),) = rows("recorder_health")
        yield LAST_LOOK.of([((), looked)])
        yield SIZE.of([((), size)])
        yield PENDING.of([((), waiting)])
        schedules = rows("schedules")
        yield SCHEDULES.of((row[:1], row[1]) for row in schedules)
        states = ("done", "failed", "skipped", "running")
        yield SCHEDULED_RUNS.of(
            ((row[0], state), many) for row in schedules for state, many in zip(states, row[2:6], strict=True)
        )
        yield SCHEDULE_LATE.of((row[:1], row[6]) for row in schedules)
        progress = rows("reading_progress")
        for place, family in enumerate((RECORDS, REFUSED, LAST_READ), start=2):
            yield family.of((row[:2], row[place]) for row in progress)
