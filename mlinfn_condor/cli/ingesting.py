"""`mlinfn ingest …`: data from instruments, by a token and a table."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import BadRequest, UserError
from mlinfn_condor.stopping import told_to_stop

if TYPE_CHECKING:
    from mlinfn_condor.store import Connection

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
table = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(table, name="table", help="Tables that instruments write into.")

DSN = typer.Option(None, "--dsn", help="Database; default: $MLINFN_DATABASE, else the private one.")
FILE = typer.Argument(help="TOML with a section [ingestion]: docs/ingestion.md.")
JSON = typer.Option(False, "--json", help="For programs.")
SITE = typer.Option("site", "--as", help="Whose declarations these are, where several files declare some.")


@app.command(epilog="Example: mlinfn ingest apply mlinfn.toml")
def apply(file: Path = FILE, site: str = SITE, dsn: str | None = DSN) -> None:
    """Make what a file declares so: whose tokens are believed, which groups open which project, and the tables."""
    from mlinfn_condor.ingestion import declaring, settings

    wanted = settings.read(file)
    with _owner(dsn) as connection:
        new = declaring.apply(connection, wanted, site)
        left = declaring.undeclared(declaring.tables(connection), wanted, site)
    for name in new:
        print(f"+ {name}")
    for name in left:
        print(f"{name} is declared no more; it stays until `mlinfn ingest table remove {name}`")
    projects = {project for _, project in wanted.memberships}
    print(f"{len(wanted.tables)} tables of {len(projects)} projects are as {file} has them")


@table.command(epilog="Example: mlinfn ingest table add reading --project radon --column 'becquerel_m3 real Bq/m³'")
def add(
    name: str = typer.Argument(help="Small letters, digits, underscores."),
    project: list[str] = typer.Option(help="Whose it is (may be repeated)."),
    column: list[str] = typer.Option(help="'NAME TYPE [UNIT]'; NAME? may be left out of a row (may be repeated)."),
    key: list[str] = typer.Option([], help="Columns that tell rows apart (may be repeated); none: a column id."),
    retention_days: int | None = typer.Option(
        None, help="How long rows stay; not given: as before, at first for ever."
    ),
    dsn: str | None = DSN,
) -> None:
    """Make a table, or add columns to one; what is in it stays."""
    from pydantic import ValidationError

    from mlinfn_condor.ingestion import declaring, settings
    from mlinfn_condor.settings_file import sentences

    told = {
        "name": name, "projects": project, "columns": dict(map(_column, column)), "key": key,
        "retention_days": retention_days,
    }  # fmt: skip
    try:
        wanted = settings.Table.model_validate(told)
    except ValidationError as error:
        raise BadRequest("; ".join(sentences(error))) from error
    with _owner(dsn) as connection:
        if retention_days is None:  # nothing said: as it was
            kept = {each.name: each.retention_days for each in declaring.tables(connection)}
            wanted = wanted.model_copy(update={"retention_days": kept.get(name)})
        new = declaring.add(connection, wanted)
    print(f"{name} is {'new' if new else 'as you said'}; whose groups open {', '.join(project)} may write into it")


@table.command("list", epilog="Example: mlinfn ingest table list")
def list_(dsn: str | None = DSN, as_json: bool = JSON) -> None:
    """List the tables: whose, their columns with units, how long rows stay, and about how many there are."""
    from dataclasses import asdict

    from mlinfn_condor.ingestion import declaring

    with _owner(dsn) as connection:
        found = declaring.tables(connection)
    if as_json:
        print(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        columns = ", ".join(f"{name} {kind}{_unit(each.units.get(name))}" for name, kind in each.columns.items())
        days = f"{each.retention_days} days" if each.retention_days else "for ever"
        whose, key = ", ".join(each.projects), ", ".join(each.key)
        print(f"{each.name} ({whose}; key {key}; {days}; about {each.about} rows): {columns}")
    if not found:
        print("no tables: `mlinfn ingest table add --help`, or `mlinfn ingest apply FILE`")


@table.command(epilog="Example: mlinfn ingest table remove reading")
def remove(
    name: str = typer.Argument(help="The table."),
    with_rows: bool = typer.Option(False, "--with-rows", help="Though it has rows, which go for ever."),
    dsn: str | None = DSN,
) -> None:
    """Offer a table no more, and drop it."""
    from mlinfn_condor.ingestion import declaring

    with _owner(dsn) as connection:
        declaring.remove(connection, name, with_rows=with_rows)
    print(f"{name} is gone")


@app.command(epilog="Example: mlinfn ingest serve mlinfn.toml --port 3000")
def serve(
    file: Path = FILE,
    host: str = typer.Option("127.0.0.1", help="Address to listen on; TLS is the site's proxy's."),
    port: int = typer.Option(3000, help="Port; 0 takes a free one."),
    dsn: str | None = DSN,
) -> None:
    """Take instruments' rows, until it is stopped: PostgREST's contract, for one machine."""
    from mlinfn_condor.ingestion import serving, settings
    from mlinfn_condor.store.local import REST
    from mlinfn_condor.store.site import dsn_of_site

    wanted = settings.read(file)
    serving.run(wanted, dsn_of_site(dsn, role=REST), host, port, lambda address: print(address, flush=True))


@app.command(epilog="Example: mlinfn ingest postgrest mlinfn.toml > postgrest.conf")
def postgrest(file: Path = FILE) -> None:
    """Print the configuration of a real PostgREST over the same database."""
    from mlinfn_condor.ingestion import rendering, settings

    print(rendering.configuration(settings.read(file)), end="")


@app.command(epilog="Example: mlinfn ingest keys mlinfn.toml --into /etc/postgrest/keys.json")
def keys(
    file: Path = FILE,
    into: Path = typer.Option(help="What PostgREST reads: PGRST_JWT_SECRET=@FILE."),
    once: bool = typer.Option(False, "--once", help="Fetch them once, and tell nobody: PostgREST does not run yet."),
    dsn: str | None = DSN,
) -> None:
    """Keep the provider's keys in a file for a real PostgREST, and have it read them again when they change."""
    from mlinfn_condor.ingestion import renewing, settings
    from mlinfn_condor.store.local import REST
    from mlinfn_condor.store.site import dsn_of_site

    issuer = settings.read(file).issuer
    if not once:
        renewing.run(issuer, into, lambda: renewing.tell(dsn_of_site(dsn, role=REST)), told_to_stop())
        return
    try:
        renewing.renew(issuer, into)
    except OSError as error:
        raise UserError(f"{into}: {error.strerror}") from error


@app.command(epilog="Example: mlinfn ingest retain")
def retain(
    once: bool = typer.Option(False, "--once", help="Look once, and tell what went."), dsn: str | None = DSN
) -> None:
    """Take away rows that are older than their table keeps them, each hour; `mlinfn services run` does it too."""
    from mlinfn_condor.ingestion import retaining
    from mlinfn_condor.store import connect
    from mlinfn_condor.store.local import SCHEDULES
    from mlinfn_condor.store.site import dsn_of_site

    address = dsn_of_site(dsn, role=SCHEDULES)
    if once:
        with connect(address, autocommit=True) as connection:
            for name, gone in retaining.forget(connection).items():
                print(f"{name}: {gone} rows went")
        return
    retaining.run(address, told_to_stop())


@app.command(
    epilog="Example: measure | mlinfn ingest send - --table reading --url https://data.example.org --token-file token"
)
def send(
    file: str = typer.Argument(help="JSON lines, or a CSV; - is standard input, sent as it comes."),
    table: str = typer.Option(help="Where they go."),
    url: str = typer.Option(help="Address of the site's ingestion."),
    token_file: Path = typer.Option(help="File with an access token; read again for each request."),
    project: str | None = typer.Option(None, help="Which, where the token opens several."),
    as_csv: bool | None = typer.Option(None, "--csv/--json-lines", help="What FILE is; default: by its name."),
    spool: Path | None = typer.Option(None, help="Where rows wait; default: a file for each table and address."),
    patience: float = typer.Option(60, help="Seconds that nobody may answer until it gives up, and keeps the rows."),
) -> None:
    """Send rows, each once: they wait on this disk until they were taken. Exit code 1 while some still wait."""
    from mlinfn_condor.ingestion import sending
    from mlinfn_condor.ingestion.spool import Spool

    is_csv = file.endswith(".csv") if as_csv is None else as_csv
    kept = spool or _spool(url, table)
    with Spool(kept) as waiting:
        sender = sending.Sender(sending.Destination(url, table, token_file, project), waiting, patience)
        if file == "-":
            sent = sending.Stream(sys.stdin, kept, is_csv=is_csv).send(sender)
        else:
            try:
                with Path(file).open(encoding="utf-8", newline="") as lines:
                    waiting.put(sending.named_by_content(sending.rows_of(lines, is_csv=is_csv), table))
            except OSError as error:
                raise UserError(f"{file}: {error.strerror}") from error
            sent = sender.send_all()
        _, rejected = waiting.counts()
    print(f"{sent} rows sent" + (f"; {rejected} refused for good, with their reasons in {kept}" if rejected else ""))


def _spool(url: str, table: str) -> Path:
    from hashlib import sha256

    from mlinfn_condor.settings import Settings

    return Settings().home / "spool" / f"{table}-{sha256(url.encode()).hexdigest()[:12]}.sqlite"


def _column(text: str) -> tuple[str, dict[str, object]]:
    """`NAME TYPE [UNIT]`; the only type of two words is one word here as well."""
    name, _, rest = text.strip().partition(" ")
    kind, _, unit = rest.strip().replace("double precision", "double", 1).partition(" ")
    told = {"type": kind.replace("double", "double precision"), "unit": unit.strip(), "optional": name.endswith("?")}
    return name.removesuffix("?"), told


def _unit(unit: str | None) -> str:
    return f" in {unit}" if unit else ""


@contextmanager
def _owner(dsn: str | None) -> "Iterator[Connection]":
    from mlinfn_condor.store import connect
    from mlinfn_condor.store.connection import told_in_one_line
    from mlinfn_condor.store.site import dsn_of_site

    with (
        connect(dsn_of_site(dsn), autocommit=True) as connection,
        told_in_one_line("ingestion (is the schema up to date?)"),
    ):
        yield connection
