"""Reports and past runs, read once in a while for all who ask the same."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar, cast

from mlinfn_condor.accounting import reports
from mlinfn_condor.accounting.reports import Report
from mlinfn_condor.store import connect
from mlinfn_condor.web.sizes import Run, last_runs

T = TypeVar("T")
MOST_KEPT = 200


class Answers:
    """Of the database that `dsn` names; each is kept for `seconds`. Methods wait, and are called from threads."""

    def __init__(self, dsn: Callable[[], str], seconds: float) -> None:
        self._dsn, self._seconds = dsn, seconds
        self._turn = threading.Lock()
        self._kept: OrderedDict[object, tuple[float, object]] = OrderedDict()

    def report(self, name: str, since: str, until: str | None, by: str | None) -> Report:
        """Raises UserError, StoreError."""
        by = reports.check(name, by)
        period = reports.period_between(since, until or None, datetime.now(UTC).replace(microsecond=0))

        def read() -> Report:
            with connect(self._dsn(), application="mlinfn web") as connection:
                return reports.answer(connection, name, period, by)

        return self._once((name, since, until, by), read)

    def made(self, name: str, since: str, until: str | None, by: str | None, key: str) -> Report:
        """The rows that make the row `key`. Raises UserError, StoreError."""
        period = reports.period_between(since, until or None, datetime.now(UTC).replace(microsecond=0))

        def read() -> Report:
            with connect(self._dsn(), application="mlinfn web") as connection:
                return reports.explain(connection, name, period, key, by)

        return self._once((name, since, until, by, key), read)

    def runs(self, user: str) -> list[Run]:
        """Somebody's last runs. Raises StoreError."""

        def read() -> list[Run]:
            with connect(self._dsn(), application="mlinfn web") as connection:
                return last_runs(connection, user)

        return self._once(("runs of", user), read)

    def _once(self, what: object, read: Callable[[], T]) -> T:
        # One at a time: a hundred people who open the same report are one question to the database.
        with self._turn:
            kept = self._kept.get(what)
            if kept is None or kept[0] < time.monotonic():
                kept = (time.monotonic() + self._seconds, read())
                self._kept[what] = kept
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            return cast(T, kept[1])
