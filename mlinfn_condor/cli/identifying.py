"""`mlinfn identity …`: the site's register of people."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import BadRequest

if TYPE_CHECKING:
    from mlinfn_condor.identity.database import DatabaseRegister
    from mlinfn_condor.identity.people import People, Person

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
DSN = typer.Option(None, "--dsn", help="The register's database; default: $MLINFN_DATABASE, else the private one.")
JSON = typer.Option(False, "--json", help="For programs.")
HOMES = typer.Option("/home/{username}", help="Homes as pods and nodes see them.")


@app.command("range")
def set_range(
    first: int = typer.Argument(help="First number that is given to people and projects."),
    last: int = typer.Argument(help="Last one."),
    keep_days: int = typer.Option(180, help="How long the data of somebody who has left stay (days)."),
    dsn: str | None = DSN,
) -> None:
    """Name the numbers that this site gives, and how long a leaver's data stay. Numbers that were given stay.

    Example: mlinfn identity range 20000 59999 --keep-days 180
    """
    from mlinfn_condor.identity import deciding
    from mlinfn_condor.identity.people import Site

    site = Site(first, last, keep_days)
    _register(dsn).change(lambda people: deciding.set_site(people, site))
    print(f"people and projects get numbers from {first} to {last}; data of leavers stay for {keep_days} days")


@app.command("list", epilog="Example: mlinfn identity list")
def show(as_json: bool = JSON, dsn: str | None = DSN) -> None:
    """List people, numbers, projects and who vouches for whom."""
    people = _register(dsn).people()
    if as_json:
        groups = dict(sorted(people.projects.items()))
        print(json.dumps({"people": [_told(one, people) for one in people.known], "projects": groups}))
        return
    _table(
        ("number", "name", "projects", "by", "left"),
        [
            (
                str(one.uid),
                _with_former(one, people),
                ", ".join(one.projects),
                ", ".join(sorted(one.standings)),
                _day(one.left),
            )
            for one in people.known
        ],
    )
    _table(
        ("number", "project"), [(str(gid), name) for name, gid in sorted(people.projects.items(), key=lambda p: p[1])]
    )


@app.command("import")
def take_in(
    file: Path = typer.Argument(help="TOML: [people.NAME] with projects, and uid or was where they are needed."),
    leave: bool = typer.Option(False, "--leave", help="People whom the file no longer names have left."),
    dsn: str | None = DSN,
) -> None:
    """Take people of a file in, for sites without an identity provider. Those whom it does not name any more leave.

    Example: mlinfn identity import people.toml
    """
    from mlinfn_condor.identity import deciding, files
    from mlinfn_condor.identity.people import Changes, People

    wishes, source = files.read(file), files.source_of(file)

    def decide(people: People) -> Changes:
        changes = deciding.declare(people, source, wishes, datetime.now(UTC))
        before = {one.uid for one in people.here}
        gone = sorted(one.name for one in changes.persons if one.uid in before and one.left is not None)
        if gone and not leave:
            raise BadRequest(
                f"{file} no longer names {', '.join(gone)}: their tokens and jobs would end. Say --leave if they "
                "have left; nothing was changed"
            )
        return changes

    people, changes = _register(dsn).change(decide)
    print(
        f"{len(changes.persons)} people changed, {len(changes.projects)} projects are new; {len(people.here)} are here"
    )
    _complain(changes.refusals)


@app.command(epilog="Example: mlinfn identity render /shared/mlinfn/people")
def render(
    folder: Path = typer.Argument(help="Where `passwd` and `group` go; pods mount it at /var/lib/extrausers."),
    homes: str = HOMES,
    dsn: str | None = DSN,
) -> None:
    """Write `passwd` and `group` for pods and nodes, as the hub's accounts service does after each change."""
    from mlinfn_condor.identity import rendering

    if homes.format(username="x") == homes:
        raise BadRequest(f"--homes {homes}: write {{username}} where the name goes")
    people = _register(dsn).people()
    written = rendering.write(folder, rendering.files(people, lambda name: homes.format(username=name)))
    print(
        f"{folder}: {', '.join(written) or 'nothing'} changed; "
        f"{len(people.known)} people, {len(people.projects)} projects"
    )


@app.command(epilog="Example: mlinfn identity check --passwd image/etc/passwd --group image/etc/group")
def check(
    passwd: Path | None = typer.Option(None, help="Of an image: its /etc/passwd; default: this machine's accounts."),
    group: Path | None = typer.Option(None, help="Of an image: its /etc/group."),
    dsn: str | None = DSN,
) -> None:
    """Say what is wrong with the register, and what it clashes with here or in an image. Exit code 1 if anything is."""
    from mlinfn_condor.identity import checking, systems

    if (passwd is None) != (group is None):
        raise BadRequest("say --passwd and --group of the same image")
    there = systems.this_machine() if passwd is None or group is None else systems.of_files(passwd, group)
    people = _register(dsn).people()
    _complain(tuple(checking.findings(people, there)))
    print(f"{len(people.known)} people and {len(people.projects)} projects, each with a number of its own")


@app.command(epilog="Example: mlinfn identity leavers")
def leavers(as_json: bool = JSON, dsn: str | None = DSN) -> None:
    """Who has left, and from when on his data may be deleted. Nothing here deletes any."""
    people = _register(dsn).people()
    if as_json:
        print(json.dumps([_told(one, people) for one in people.leavers]))
        return
    rows = [(str(one.uid), one.name, _day(one.left), _day(people.deletable(one))) for one in people.leavers]
    _table(("number", "name", "left", "data may go on"), rows)


@app.command(epilog="Example: mlinfn identity release dora")
def release(name: str = typer.Argument(help="Of somebody who has left."), dsn: str | None = DSN) -> None:
    """Say that a leaver's data are gone: his name is free for others from now on. His number never is."""
    from mlinfn_condor.identity import deciding

    _, changes = _register(dsn).change(lambda people: deciding.release(people, name, datetime.now(UTC)))
    print(f"{name} is free; nobody else ever gets the number {changes.persons[0].uid}")


@app.command()
def token(
    name: str = typer.Argument(help="Identity: a role such as condor, admin, hub, glidein, or a person."),
    key: Path = typer.Option(help="Signing key, in the pool's SEC_PASSWORD_DIRECTORY."),
    domain: str = typer.Option(help="The pool's TRUST_DOMAIN and UID_DOMAIN."),
    into: Path = typer.Option(help="Folder of tokens to put it into, as a file of that name."),
    token_list: Path = typer.Option(
        ..., "--list", help="The pool's MLINFN_TOKEN_LIST; a line is added if it is missing."
    ),
    days: float | None = typer.Option(None, help="Ends after so many days; default: never."),
) -> None:
    """Sign a token with a seal, for pools that believe listed tokens only; else as condor_token_create does.

    Example: mlinfn identity token glidein --key POOL --domain ml.example --into tokens --list tokens.map
    """
    from mlinfn_condor.embedded import signing
    from mlinfn_condor.embedded.secrets import write_private
    from mlinfn_condor.identity.names import IDENTITY

    if not IDENTITY.fullmatch(name):
        raise BadRequest(f"{name!r} is no identity: small letters, digits, '_', '.', '-'")
    now = int(datetime.now(UTC).timestamp())
    try:
        made = signing.signed(key, domain, name, now, {"exp": now + int(days * 86400)} if days else None)
        listed = token_list.read_text() if token_list.exists() else ""
        if (line := signing.listed(made)) not in listed.splitlines(keepends=True):
            write_private(token_list, (listed + line).encode())
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(into / name, f"{made}\n".encode())
    except OSError as error:
        raise BadRequest(f"{error.filename}: {error.strerror}") from error
    print(f"{into / name}; `condor_reconfig -all` has the daemons read {token_list}")


def _register(dsn: str | None) -> "DatabaseRegister":
    from mlinfn_condor.identity.database import DatabaseRegister
    from mlinfn_condor.store.local import IDENTITY
    from mlinfn_condor.store.site import dsn_of_site

    return DatabaseRegister(dsn_of_site(dsn, role=IDENTITY))


def _complain(sentences: tuple[str, ...]) -> None:
    """One line each, and exit code 1."""
    for sentence in sentences:
        print(f"mlinfn: {sentence}", file=typer.get_text_stream("stderr"))
    if sentences:
        raise typer.Exit(1)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    listed = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        listed.add_row(*row)
    Console().print(listed)


def _told(person: "Person", people: "People") -> dict[str, object]:
    deletable = people.deletable(person)
    return {
        "uid": person.uid,
        "name": person.name,
        "formerly": sorted(people.former.get(person.uid, ())),
        "projects": list(person.projects),
        "by": sorted(person.standings),
        "left": person.left.isoformat() if person.left else None,
        "deletable": deletable.isoformat() if deletable else None,
    }


def _with_former(person: "Person", people: "People") -> str:
    formerly = sorted(people.former.get(person.uid, ()))
    return f"{person.name} (formerly {', '.join(formerly)})" if formerly else person.name


def _day(when: object) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else ""
