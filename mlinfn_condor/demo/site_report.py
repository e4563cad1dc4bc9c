"""Whether what ran at a site appears in its reports."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from mlinfn_condor.accounting.reports.asking import answer
from mlinfn_condor.accounting.reports.period import period_between
from mlinfn_condor.demo.site_story import SiteFailed
from mlinfn_condor.store import connect

RECORD_SECONDS = 120
"""Recorders look at histories every 5 s and at the pool every 30 s."""
LOOK_SECONDS = 2


def appears(dsn: str, user: str, say: Callable[[str], None], seconds: float = RECORD_SECONDS) -> None:
    """Wait until the report of usage names the user for the last hour. Raises SiteFailed, StoreError."""
    deadline = time.monotonic() + seconds
    with connect(dsn, autocommit=True) as connection:
        while True:
            report = answer(connection, "usage", period_between("1h", None, datetime.now(UTC)), "user")
            if any(user in map(str, row) for table in report.tables for row in table.rows):
                say(f"the report of usage names {user}")
                return
            if time.monotonic() > deadline:
                raise SiteFailed(
                    f"the report: {user} is not in it after {seconds:g} s. Look at: containers `recorder` of pods "
                    "interactive-0 and batch-0, and mlinfn accounting status"
                )
            time.sleep(LOOK_SECONDS)
