"""What Prometheus is told of the backups: read from the record at each scrape."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from mlinfn_condor.accounting.metrics.families import Gauge
from mlinfn_condor.backup import record
from mlinfn_condor.backup.running import Room
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.errors import MlinfnError

GOOD = Gauge("mlinfn_backup_last_good_timestamp_seconds", "The moment that the last good backup is of.")
VERIFIED = Gauge("mlinfn_backup_last_verified_timestamp_seconds", "When a backup was last verified.")
LATE = Gauge("mlinfn_backup_late", "Whether the last good backup is older than the site allows.")
FAILED = Gauge("mlinfn_backup_failed", "Whether the last run failed.")
UNVERIFIED = Gauge("mlinfn_backup_verification_failed", "Whether the last verification failed.")
FILES = Gauge("mlinfn_backup_files", "Files of the last good backup.")
BYTES = Gauge("mlinfn_backup_bytes", "Bytes of the last good backup, before compression.")


class BackupCollector(Collector):
    """For a registry of prometheus_client."""

    def __init__(self, look: Callable[[], tuple[BackupSettings, Room]]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """The families; none where nobody asked for backups."""
        try:
            settings, room = self._look()
        except MlinfnError:
            return
        if not room.record.exists():
            return
        seen = record.read(room.record)
        judgement = record.judged(seen, settings, time.time())
        yield GOOD.of([((), seen.good_at or None)])
        yield VERIFIED.of([((), seen.verified_at or None)])
        yield LATE.of([((), float(judgement.late))])
        yield FAILED.of([((), float(judgement.failed))])
        yield UNVERIFIED.of([((), float(judgement.unverified))])
        yield FILES.of([((), float(seen.files) if seen.good_at else None)])
        yield BYTES.of([((), float(seen.bytes) if seen.good_at else None)])
