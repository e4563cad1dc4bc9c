"""Alarms that one look can tell, and when each is raised; of the same name as in mlinfn-alarms.yml."""

from dataclasses import dataclass

RECORDER_SECONDS = 600
"""So long a recorder may see nothing."""
LATE_MINUTES = 5
"""So long a due run may wait for the scheduler."""


@dataclass(frozen=True)
class Kind:
    """What an alarm is of; the reference says what to do."""

    name: str
    when: str
    """When one look raises it."""


SOURCE_AWAY = Kind("MlinfnSourceAway", "The collector, an access point or the database does not answer.")
RECORDER_STALE = Kind(
    "MlinfnRecorderStale", f"The recorder never saw the pool, or not for {RECORDER_SECONDS // 60} min."
)
RECORDS_REFUSED = Kind("MlinfnRecordsRefused", "There are records that were not understood, however old.")
SERVICE_NOT_RUNNING = Kind("MlinfnServiceNotRunning", "A service is waiting for its next start, stopped or ended.")
SCHEDULER_LATE = Kind("MlinfnSchedulerLate", f"A run is due for more than {LATE_MINUTES} min and not submitted.")
DEVICE_BROKEN = Kind("MlinfnDeviceBroken", "A node tells that it has withdrawn a device.")
BACKUP_FAILED = Kind("MlinfnBackupFailed", "The last run of the backup failed.")
BACKUP_NOT_VERIFIED = Kind("MlinfnBackupNotVerified", "The last verification of a backup failed.")


@dataclass(frozen=True)
class Alarm:
    """One that is raised."""

    kind: Kind
    sentence: str

    @property
    def name(self) -> str:
        """As Prometheus would call it."""
        return self.kind.name
