"""Progress of long acts on a terminal; in a log file one line per finished step."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from mlinfn_condor.embedded.report import Step


class RichReport:
    """Draws bars on stderr, so that stdout stays what a program can read."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)

    @contextmanager
    def step(self, name: str, total: int | None = None, unit: str = "") -> Iterator[Step]:
        """See embedded.report.Report."""
        with Progress(*_columns(total, unit), console=self._console, transient=True) as progress:
            task = progress.add_task(name, total=total)
            yield _RichStep(progress, task)
        self._console.print(f"[green]✓[/] {name}", highlight=False)


class _RichStep:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, amount: int) -> None:
        """See embedded.report.Step."""
        self._progress.advance(self._task, amount)


def _columns(total: int | None, unit: str) -> list[ProgressColumn]:
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
    if total is not None:
        columns += [
            BarColumn(),
            DownloadColumn() if unit == "B" else TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        ]
    return [*columns, TimeElapsedColumn()]
