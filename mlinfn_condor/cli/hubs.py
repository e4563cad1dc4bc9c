"""`mlinfn hub …`: JupyterHub on this user's pool."""

import json

import typer

from mlinfn_condor.cli import accounts

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(accounts.app, name="account", help="Say who may use the hub, and until when.")


@app.command(epilog="Example: mlinfn hub up")
def up() -> None:
    """Bring JupyterHub and its proxy up on this pool, and the pool if it is not up; print the address and accounts."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.hub.local import lifecycle
    from mlinfn_condor.settings import Settings

    hub = lifecycle.up(Settings(), RichReport())
    print(f"the hub {'was up already' if hub.found else 'is up'}: {hub.url}")
    print("sign in as one of these; the accounts are this machine's only:")
    for name, password in hub.passwords.items():
        print(f"  {name:8} {password}")


@app.command(epilog="Example: mlinfn hub down")
def down() -> None:
    """Take JupyterHub and its proxy down. Sessions run on, and are there again after the next `up`."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.hub.local import lifecycle
    from mlinfn_condor.settings import Settings

    with RichReport().step("take the hub down"):
        ran = lifecycle.down(Settings())
    print(f"the hub {'is down; sessions run on' if ran else 'was not up'}")


@app.command(epilog="Example: mlinfn hub status --json")
def status(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Say whether the hub is up and where. Exit code 1 when it is not up."""
    from mlinfn_condor.hub.local import lifecycle
    from mlinfn_condor.settings import Settings

    hub = lifecycle.running(Settings())
    told = {"url": hub.url, "settings": str(hub.layout.settings), "log": str(hub.layout.log("hub"))}
    if as_json:
        print(json.dumps(told))
        return
    print(f"the hub is up: {told['url']}")
    print(f"settings {told['settings']}, log {told['log']}")
