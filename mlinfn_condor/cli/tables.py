"""Status as tables on a terminal."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from mlinfn_condor.submission.phrases import span
from mlinfn_condor.submission.status import Status

SHOWN_JOBS = 40
"""Rows of jobs on the screen; --json has them all."""
PIPED_WIDTH = 160
"""Columns when nobody looks: wide enough that no cell breaks over lines."""


def show(status: Status, now: int, console: Console | None = None) -> None:
    """Print classes, devices and jobs; a simulated device says so."""
    console = console or Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    classes = _table("class", "running", "idle", "held", "users")
    for row in status.classes:
        classes.add_row(row.priority_class, *map(str, (row.running, row.idle, row.held, row.users)))
    devices = _table("node", "device", "total", "free", "session", "dask", "batch", "handing over")
    for each in status.devices:
        counts = (each.total, each.free, each.session, each.dask, each.batch, each.handing_over)
        devices.add_row(each.node, f"{each.kind.word} {each.label}", *map(str, counts))
    jobs = _table("job", "class", "user", "project", "state", "since", "node", "devices")
    for job in status.jobs[:SHOWN_JOBS]:
        state = job.state if job.count == 1 else f"{job.count} {job.state}"
        since = f"{span(now - job.since)}"
        jobs.add_row(job.jobs, job.priority_class, job.user, job.project, state, since, job.node, job.devices)
    for table in (classes, devices, jobs):
        console.print(table)
    if len(status.jobs) > SHOWN_JOBS:
        console.print(f"… and {len(status.jobs) - SHOWN_JOBS} more rows; --json lists all")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        # A device's name is never cut: that it is simulated stands at its end.
        table.add_column(column, justify="right" if column in _NUMBERS else "left", no_wrap=column == "device")
    return table


_NUMBERS = frozenset({"running", "idle", "held", "users", "total", "free", "session", "dask", "batch", "handing over"})
