"""The recorder as a service: reads histories, looks at the pool, adds days up, until it is told to stop.

Whatever is away (database, collector, a file) is said once, tried again at the next turn, and nothing is lost by that:
the cursors stand where the database has everything before them.
"""

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from mlinfn_condor.accounting import journals, looking, rolling
from mlinfn_condor.accounting.recorder import Recorder
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import Pool
from mlinfn_condor.store import Connection, Error, connect


class Service:
    """The turns of a recorder; each is safe to be killed in, and to be run twice."""

    def __init__(
        self,
        dsn: str,
        pool: Callable[[], Pool],
        spools: Mapping[str, Path],
        settings: AccountingSettings,
        journals_of: Mapping[journals.Kind, Path] | None = None,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._spools = spools
        self._settings = settings
        self._journals = dict(journals_of or {})
        self._say = say
        self._connection: Connection | None = None
        self._trouble: dict[str, str] = {}

    def read(self) -> None:
        """Store what the histories have more than before."""
        Recorder(self._database(), self._spools).read_all()
        for kind, journal in self._journals.items():
            journals.read(self._database(), journal, kind)

    def look(self) -> None:
        """Store how the pool looks now."""
        seen = looking.look(self._pool())
        looking.store(self._database(), seen)

    def add_up(self) -> None:
        """Add changed days up, drop what is past its time."""
        rolling.roll_up(self._database())
        rolling.retire(self._database(), self._settings.keep_months)

    def once(self) -> None:
        """All of it, one after the other. Raises what goes wrong."""
        self.look()
        self.read()
        self.add_up()

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        # One thread: turns never overlap, and a turn that takes long makes the next ones one.
        scheduler = BlockingScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
        for turn, seconds in (
            (self.read, self._settings.history_seconds),
            (self.look, self._settings.look_seconds),
            (self.add_up, self._settings.roll_up_seconds),
        ):
            self._attempt(turn)
            scheduler.add_job(
                self._attempt, "interval", args=[turn], seconds=seconds, coalesce=True, max_instances=1,
                misfire_grace_time=None,
            )  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: scheduler.shutdown(wait=False))
        scheduler.start()

    def _attempt(self, turn: Callable[[], None]) -> None:
        name = turn.__name__
        try:
            turn()
        except (MlinfnError, Error, OSError) as error:
            text = " ".join(str(error).split())
            if self._trouble.get(name) != text:
                self._say(f"recorder: cannot {name.replace('_', ' ')}, trying again: {text}")
            self._trouble[name] = text
            if self._connection is not None and self._connection.broken:
                self._connection.close()
                self._connection = None
        else:
            if self._trouble.pop(name, None):
                self._say(f"recorder: can {name.replace('_', ' ')} again")

    def _database(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn, autocommit=True, application="mlinfn recorder")
        return self._connection
