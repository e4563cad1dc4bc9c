"""`mlinfn hub account …`: who may use the hub, and until when."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mlinfn_condor.hub.accounts.account import Account
    from mlinfn_condor.hub.accounts.store import Store
    from mlinfn_condor.hub.settings import HubSettings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
NAME = typer.Argument(help="Name of the person on the pool.")
SETTINGS = typer.Option(
    None, "--settings", envvar="MLINFN_HUB_SETTINGS", help="Settings file of the hub; default: the embedded pool's hub."
)
DAYS = typer.Option(None, help="Ends after so many days from now.")
UNTIL = typer.Option(None, help="Ends then: 2026-12-01T18:00, in this machine's time.")


@app.command()
def add(
    name: str = NAME,
    project: list[str] = typer.Option([], help="Project of the pool; again for more, the first is the default one."),
    days: float | None = DAYS,
    until: str | None = UNTIL,
    admin: bool = typer.Option(False, "--admin", help="An administrator of the hub."),
    elsewhere: bool = typer.Option(False, "--elsewhere", help="No password: the person signs in at the provider."),
    settings: Path | None = SETTINGS,
) -> None:
    """Add an account, with an end or without. Its password is printed once; nobody can read it afterwards.

    Example: mlinfn hub account add dora --project alpha --days 3
    """
    from mlinfn_condor.hub.accounts import administration, passwords
    from mlinfn_condor.hub.accounts.account import Account, now

    hub, store = _hub(settings)
    password = None if elsewhere else passwords.readable()
    account = Account(
        password=passwords.hashed(password) if password else None,
        projects=tuple(project),
        admin=admin,
        until=administration.end_of(now(), days, until),
    )
    with store.change() as accounts:
        administration.add(accounts, name, account, hub.membership.projects)
    print(f"account {name} {_ends(account)}")
    if password:
        print(f"password {password}")


@app.command("list", epilog="Example: mlinfn hub account list")
def show(as_json: bool = typer.Option(False, "--json", help="For programs."), settings: Path | None = SETTINGS) -> None:
    """List the accounts, with projects and ends; no passwords."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from mlinfn_condor.hub.accounts.account import now

    accounts = _hub(settings)[1].read()
    moment = now()
    if as_json:
        print(json.dumps([_told(name, account, moment) for name, account in accounts.items()]))
        return
    listed = Table("name", "projects", "signs in", "ends", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, account in accounts.items():
        told = _told(name, account, moment)
        ends = "ended" if told["ended"] else (f"{account.until.astimezone():%Y-%m-%d %H:%M}" if account.until else "")
        listed.add_row(name, ", ".join(account.member_of), str(told["signs_in"]), ends)
    Console().print(listed)


@app.command(epilog="Example: mlinfn hub account extend dora --days 30")
def extend(
    name: str = NAME, days: float | None = DAYS, until: str | None = UNTIL, settings: Path | None = SETTINGS
) -> None:
    """Give an account another end, or none if neither --days nor --until is said. One that had ended is good again."""
    from mlinfn_condor.hub.accounts import administration
    from mlinfn_condor.hub.accounts.account import now

    ends = administration.end_of(now(), days, until)
    with _hub(settings)[1].change() as accounts:
        administration.extend(accounts, name, ends)
        print(f"account {name} {_ends(accounts[name])}")


@app.command(epilog="Example: mlinfn hub account end dora --notice 30")
def end(
    name: str = NAME,
    notice: float = typer.Option(0, help="So many minutes from now; his sessions are told."),
    settings: Path | None = SETTINGS,
) -> None:
    """End an account: no sign-in any more, and within half a minute its sessions, jobs and tokens end."""
    from mlinfn_condor.hub.accounts import administration
    from mlinfn_condor.hub.accounts.account import now

    moment = now()
    with _hub(settings)[1].change() as accounts:
        administration.end(accounts, name, moment, notice)
        ended = accounts[name].ended(moment)
        print(f"account {name} {'has ended' if ended else _ends(accounts[name])}; the home stays")


@app.command(epilog="Example: mlinfn hub account remove dora")
def remove(name: str = NAME, settings: Path | None = SETTINGS) -> None:
    """Forget an account; what it holds ends as with `end`, and the home stays."""
    from mlinfn_condor.hub.accounts import administration, people

    hub, store = _hub(settings)
    with store.change() as accounts:
        administration.remove(accounts, name)
        people.forget(store, name)
    print(f"account {name} is removed; the home stays")
    if name in hub.accounts.members:
        print(f"{name} stays a member of the pool's projects: [accounts.members] of the hub's settings names him")


def _hub(path: Path | None) -> tuple["HubSettings", "Store"]:
    """Settings and accounts of the hub that is meant; it need not be up."""
    from mlinfn_condor.embedded.layout import Layout
    from mlinfn_condor.errors import UserError
    from mlinfn_condor.hub.accounts.store import Store
    from mlinfn_condor.hub.local.layout import HubLayout
    from mlinfn_condor.hub.settings import read
    from mlinfn_condor.settings import Settings

    if path is None:
        path = HubLayout(Layout(Settings().pool_folder.absolute())).settings
        if not path.exists():
            raise UserError(
                f"pool {Settings().pool} has no hub yet: `mlinfn hub up` makes one, --settings names another"
            )
    hub = read(path)
    return hub, Store(hub.accounts_folder)


def _ends(account: "Account") -> str:
    return f"ends at {account.until.astimezone():%Y-%m-%d %H:%M}" if account.until else "has no end"


def _told(name: str, account: "Account", now: datetime) -> dict[str, object]:
    return {
        "name": name,
        "projects": list(account.member_of),
        "admin": account.is_admin,
        "signs_in": "with a password" if account.password else "elsewhere",
        "until": account.until.isoformat() if account.until else None,
        "ended": account.ended(now),
    }
