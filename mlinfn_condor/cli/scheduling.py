"""`mlinfn schedule …`: work that starts by the clock or by data."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import UserError
from mlinfn_condor.stopping import told_to_stop

if TYPE_CHECKING:
    from mlinfn_condor.schedules.book import Book

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Misfire(StrEnum):
    """See schedules.planning."""

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"


DSN = typer.Option(None, "--dsn", help="Database of the schedules; default: $MLINFN_DATABASE, else the private one.")
JSON = typer.Option(False, "--json", help="For programs.")
ALL = typer.Option(False, "--all", help="Everybody's.")
NAME = typer.Argument(help="The schedule, as `mlinfn schedule list` has it.")


@app.command(
    context_settings={"allow_interspersed_args": False},
    epilog="Example: mlinfn schedule add --cron '30 2 * * *' --zone Europe/Rome nightly python train.py --epochs 3",
)
def add(
    name: str = typer.Argument(help="A name of yours for it: small letters, digits, hyphens."),
    command: list[str] = typer.Argument(help="What to run; its own options may follow."),
    cron: str | None = typer.Option(None, help="When: minute hour day month weekday, as in crontab."),
    every: int | None = typer.Option(None, help="Or: every so many seconds."),
    rows: str | None = typer.Option(None, help="Or: by new rows of this table, which is prepared for it (docs)."),
    commits: str | None = typer.Option(None, help="Or: by new commits, 'URL BRANCH' of a git repository."),
    least: int = typer.Option(1, help="With --rows: so many new ones start a run."),
    at_latest: int | None = typer.Option(None, help="With --rows: or any, so many seconds after the run before."),
    everything: bool = typer.Option(False, "--everything", help="With --rows: those that are there count as new."),
    zone: str = typer.Option("UTC", help="Time zone of --cron."),
    misfire: Misfire = typer.Option(Misfire.ONCE, help="What becomes of due times that nobody was there for."),
    grace: int = typer.Option(60, help="Seconds after which a due time counts as missed."),
    catch_up: int = typer.Option(10, help="Of the missed ones --misfire all runs so many."),
    jitter: int = typer.Option(0, help="Start up to so many seconds later, so that not all start at once."),
    overlap: bool = typer.Option(False, "--overlap", help="Also while the run before still runs."),
    retries: int = typer.Option(0, help="How often a run that fails is tried again."),
    retry_pause: int = typer.Option(60, help="Seconds until then; doubles each time."),
    cpus: int = typer.Option(1, help="Cores."),
    memory_mb: int = typer.Option(2048, help="Memory, MiB."),
    gpus: int = typer.Option(0, help="GPUs."),
    model: str | None = typer.Option(None, help="Device model; any if not given."),
    project: str | None = typer.Option(None, help="Project to account it on; your first if not given."),
    folder: Path = typer.Option(Path(), help="Where it runs and writes; the nodes must see it."),
    dsn: str | None = DSN,
) -> None:
    """Have a training submitted again and again, in your name, each time exactly once."""
    from mlinfn_condor.schedules import arrivals, asking
    from mlinfn_condor.schedules.planning import Misfire as Rule
    from mlinfn_condor.schedules.settings import SchedulesSettings
    from mlinfn_condor.submission.requests import Devices, TrainingRequest

    asked = {"cron": cron, "every": every, "rows": rows, "commits": commits}
    given = {kind: str(spec) for kind, spec in asked.items() if spec is not None}
    if len(given) != 1:
        raise UserError(
            "say when, in one way: --cron '30 2 * * *', --every 3600, --rows TABLE or --commits 'ADDRESS BRANCH'"
        )
    ((kind, spec),) = given.items()
    devices = Devices(count=gpus, model=model)
    request = TrainingRequest(
        command=command, cpus=cpus, memory_mb=memory_mb, devices=devices, project=project, folder=folder
    )
    with _book(dsn) as book:
        mark = arrivals.beginning(book, kind, spec)
        if everything and kind == "rows":
            mark = arrivals.EVERYTHING
        wish = asking.Wish(
            owner=_me(), name=name, kind=kind, spec=spec, request=request, zone=zone, misfire=Rule(misfire.value),
            grace=grace, catch_up=catch_up, jitter=jitter, overlap=overlap, retries=retries, retry_pause=retry_pause,
            least=least, at_latest=at_latest, mark=mark,
        )  # fmt: skip
        asking.add(book, wish, SchedulesSettings())
        print(f"{name} is scheduled: `mlinfn schedule list` tells when, `mlinfn services run` submits it")


@app.command(epilog="Example: mlinfn schedule apply mlinfn.toml --look")
def apply(
    file: Path = typer.Argument(help="TOML with [[schedules]]: what `add` has as options, and `owner`."),
    site: str = typer.Option("site", "--as", help="Whose declarations these are, where several files declare some."),
    look: bool = typer.Option(False, "--look", help="Only tell what would change."),
    dsn: str | None = DSN,
) -> None:
    """Make the schedules that a file declares so: add, change, and remove those that it has no more."""
    from mlinfn_condor.schedules import declared
    from mlinfn_condor.schedules.settings import SchedulesSettings

    settings = SchedulesSettings()
    wishes = declared.read(file, site)
    with _book(dsn) as book:
        found = declared.compare(book, wishes, site, settings)
        if not look:
            declared.apply(book, found, settings)
    told = [("+", each["owner"], each["name"]) for each in found.add]
    told += [("~", each["owner"], each["name"]) for each in found.change]
    for sign, owner, name in told + [("-", *key) for key in found.remove]:
        print(f"{sign} {owner} {name}")
    if not found:
        print(f"all {len(wishes)} schedules are as {file} has them")


@app.command("list", epilog="Example: mlinfn schedule list --all")
def list_(everybody: bool = ALL, dsn: str | None = DSN, as_json: bool = JSON) -> None:
    """List your schedules, and when each is due next."""
    with _book(dsn) as book:
        found = book.schedules(None if everybody else _me())
    due = {each.number: next(each.rule.after(datetime.now(UTC)), None) if each.rule else None for each in found}
    if as_json:
        fields = ("owner", "name", "kind", "spec", "zone", "misfire", "retries", "overlap", "job", "mark")
        told = [{name: getattr(each, name) for name in fields} | {"next": due[each.number]} for each in found]
        print(json.dumps(told, default=str))
        return
    for each in found:
        when = f", next {due[each.number]:%Y-%m-%d %H:%M:%S} UTC" if due[each.number] else ""
        zone = f" {each.zone}" if each.kind == "cron" else ""
        print(f"{each.owner} {each.name}: {each.kind} {each.spec}{zone}{when}: {each.job.get('command', '')}")
    if not found:
        print("no schedules: `mlinfn schedule add --help`")


@app.command(epilog="Example: mlinfn schedule remove nightly")
def remove(name: str = NAME, dsn: str | None = DSN) -> None:
    """Schedule it no more. Jobs that are submitted stay; its history too."""
    with _book(dsn) as book:
        book.remove(_me(), name)
    print(f"{name} is scheduled no more")


@app.command("run-now", epilog="Example: mlinfn schedule run-now nightly")
def run_now(name: str = NAME, dsn: str | None = DSN) -> None:
    """Run it once more, now; what the clock says stays as it is."""
    from mlinfn_condor.schedules import arrivals

    with _book(dsn) as book:
        found = book.schedules(_me(), name)
        if not found:
            raise UserError(f"you have no schedule {name}: `mlinfn schedule list` has those that there are")
        schedule = found[0]
        data = schedule.kind in ("rows", "commits")
        until = arrivals.position(book, schedule.kind, schedule.spec) if data else ""
        book.run_now(schedule, datetime.now(UTC), until)
    print(f"{name} runs as soon as the scheduler sees it: `mlinfn schedule history {name}`")


@app.command(epilog="Example: mlinfn schedule history nightly --limit 5")
def history(
    name: str | None = typer.Argument(None, help="Of this schedule alone."),
    everybody: bool = ALL,
    limit: int = typer.Option(20, help="At most so many."),
    dsn: str | None = DSN,
    as_json: bool = JSON,
) -> None:
    """List runs, the latest first: when due, what became of them, and as which job."""
    with _book(dsn) as book:
        rows = book.history(None if everybody else _me(), name, limit)
    if as_json:
        names = ("owner", "name", "due_at", "try", "state", "changed_at", "cluster", "reason")
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
        return
    for owner, which, due_at, attempt, state, _, cluster, reason in rows:
        again = f" (try {attempt + 1})" if attempt else ""
        job = f" batch@{cluster}.0" if cluster is not None else ""
        print(f"{owner} {which} {due_at:%Y-%m-%d %H:%M:%S}{again}: {state}{job}{f': {reason}' if reason else ''}")
    if not rows:
        print("nothing was due yet")


@app.command(epilog="Example: mlinfn schedule serve")
def serve(dsn: str | None = DSN) -> None:
    """Submit what is due, until it is stopped; `mlinfn services run` does it too. A second one waits for the first."""
    from mlinfn_condor.cli import connection
    from mlinfn_condor.schedules import service
    from mlinfn_condor.schedules.settings import SchedulesSettings

    service.run(_dsn(dsn), lambda: connection.connect().pool, SchedulesSettings(), told_to_stop())


def _dsn(dsn: str | None) -> str:
    from mlinfn_condor.store.local import SCHEDULES
    from mlinfn_condor.store.site import dsn_of_site

    return dsn_of_site(dsn, role=SCHEDULES)


@contextmanager
def _book(dsn: str | None) -> "Iterator[Book]":
    from mlinfn_condor.schedules.book import Book
    from mlinfn_condor.store import connect
    from mlinfn_condor.store.connection import told_in_one_line

    with connect(_dsn(dsn), autocommit=True) as connection, told_in_one_line("schedules (is the schema up to date?)"):
        yield Book(connection)


def _me() -> str:
    """Whose schedules these are: the identity in the embedded pool, elsewhere the account."""
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.schedules import identities
    from mlinfn_condor.settings import Settings

    if identities.embedded():
        settings = Settings()
        return lifecycle.environment(settings, settings.user)["MLINFN_USER"]
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
