"""`mlinfn watch` and `mlinfn submit … --watch`: a live bar from the event log, and the job's exit code at the end."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

import typer

from mlinfn_condor.cli import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from mlinfn_condor.pool import JobId, Pool
    from mlinfn_condor.submission.watching import Watch

INTERRUPTED = 130
TAIL_BYTES = 4096


def watch(job: list[str] = typer.Argument(help="batch@12 or 12.0: all jobs of that submit are watched.")) -> None:
    """Show live how jobs get on, without asking the pool; ends with their exit code. Ctrl-C leaves them alone."""
    from mlinfn_condor.pool import JobId

    follow(connection.connect().pool, [JobId.parse(one) for one in job])


def follow(pool: "Pool", submits: "Sequence[JobId]", jobs: int | None = None) -> None:
    """Watch until all jobs of these submits have ended, and exit as they did. Raises JobHeld at once.

    `jobs` is how many they are, where the caller knows.
    """
    from mlinfn_condor.submission.watching import Watch

    watched = Watch(jobs)
    with _interruptible() as interrupted, _shown() as shown:
        output = _Output(pool, submits[0])
        for batch in pool.follow(submits):
            watched.learn(batch)
            shown.show(watched, output)
            if watched.over or interrupted.is_set():
                break
    if not watched.over:
        again = " ".join(f"{one.access_point}{one.cluster}" for one in submits)
        print(f"not watched any more, and it goes on: `mlinfn watch {again}` watches on", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    print(f"{submits[0]} {watched.sentence}, exit code {watched.exit_code}", file=sys.stderr)
    raise typer.Exit(watched.exit_code)


@contextmanager
def _interruptible() -> Iterator[Event]:
    """Set by Ctrl-C: an exception that rises in the midst of the bindings' wait now and then crashes the program."""
    interrupted = Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Output:
    """The output file of a job, as far as it is written: that of a displaced job begins anew."""

    def __init__(self, pool: "Pool", job: "JobId") -> None:
        from mlinfn_condor.pool import find_job
        from mlinfn_condor.pool.ads import text

        ad = find_job(pool, job, ["Out"]).ad
        self._path = Path(text(ad, "Iwd")) / text(ad, "Out")

    def end(self) -> str:
        """Its last lines; empty where there is none that can be read."""
        try:
            with self._path.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - TAIL_BYTES))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


class _Shown(Protocol):
    def show(self, watched: "Watch", output: _Output) -> None:
        """Draw it as it is now."""
        ...


@contextmanager
def _shown() -> Iterator[_Shown]:
    """A bar on a terminal; in a log a line for each change. Both on stderr: stdout is for programs."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress)


class _Lines:
    def __init__(self) -> None:
        self._last = ""

    def show(self, watched: "Watch", output: _Output) -> None:
        if watched.sentence != self._last:
            self._last = watched.sentence
            print(self._last, file=sys.stderr)


class _Bar:
    """How many of many jobs have ended; of a single one how far it says it is."""

    def __init__(self, progress: "Progress") -> None:
        self._progress, self._task = progress, progress.add_task("idle", total=None)

    def show(self, watched: "Watch", output: _Output) -> None:
        from rich.markup import escape

        from mlinfn_condor.submission.watching import steps

        if watched.jobs > 1:
            self._progress.update(self._task, description=watched.sentence, completed=watched.done, total=watched.jobs)
            return
        end = output.end()
        done, total = steps(end) or (0, None)
        last = next((line for line in reversed(end.splitlines()) if line.strip()), "")
        described = f"{watched.sentence}  {escape(last[:60])}"
        self._progress.update(self._task, description=described, completed=done, total=total)
