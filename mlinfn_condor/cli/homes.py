"""`mlinfn home …`: what homes and project folders hold."""

import json
from dataclasses import asdict

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def homes() -> None:
    """Homes of the embedded pool, or those that [storage] in storage.toml names."""


@app.command(epilog="Example: mlinfn home usage alice bob")
def usage(
    names: list[str] = typer.Argument(None, help="Users or projects; default: all."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Say what homes and project folders hold, the largest first, and what is left of their disk."""
    from mlinfn_condor.backup.platform import of_site
    from mlinfn_condor.backup.settings import SiteStorage, settings_file
    from mlinfn_condor.settings import Settings
    from mlinfn_condor.settings_file import read
    from mlinfn_condor.storage.homes import usage as held
    from mlinfn_condor.storage.room import disk_of

    settings = Settings()
    file = settings_file(settings)
    told = read(file, SiteStorage) if file.exists() else SiteStorage()
    trees = of_site(settings, told.storage, {}, None).trees
    folders = {f"{kind}/{each.name}": each for kind, tree in trees.items() if tree.is_dir() for each in tree.iterdir()}
    wanted = {name: path for name, path in folders.items() if not names or path.name in names}
    if missing := set(names or []) - {path.name for path in wanted.values()}:
        raise UserError(f"there is no home or project {', '.join(sorted(missing))}")
    rows = sorted(((name, held(path), disk_of(path)) for name, path in wanted.items()), key=lambda row: -row[1].bytes)
    if as_json:
        print(json.dumps([{"folder": name, **asdict(used), **asdict(disk)} for name, used, disk in rows]))
        return
    for name, used, disk in rows:
        print(f"{name}: {used.bytes / 1e6:,.1f} MB in {used.files:,} files, {disk.free_bytes / 1e6:,.0f} MB left")
